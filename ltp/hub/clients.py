"""Which client has which views open. The caller holds the hub's lock."""

from __future__ import annotations

from typing import Final

from ltp.core.clients.allotment import LIMIT, PAGES_EACH, client_limit, rank_of
from ltp.core.clients.client_address import EXEMPT
from ltp.hub.insets import Inset
from ltp.hub.view import View

CELLS_EACH: Final = 50_000  # of a client's different views: a hundred pages of 50 rows and ten columns
_STREAMS_SHARE: Final = 4  # a client gets at most this part of a process's streams,
_LEAST_STREAMS_EACH: Final = 20  # but this many in any case
_NO_PLACE: Final = (LIMIT, 0)


class Clients:
    def __init__(self) -> None:
        # The number of streams by client and view, views in the order in which they were opened.
        self._views: dict[str, dict[View, int]] = {}

    def join(self, client: str, view: View) -> None:
        views = self._views.setdefault(client, {})
        views[view] = views.get(view, 0) + 1

    def leave(self, client: str, view: View) -> None:
        views = self._views.get(client, {})
        views[view] = views.get(view, 1) - 1
        if not views[view]:
            del views[view]
        if not views:
            self._views.pop(client, None)

    def streams(self, client: str) -> int:
        return sum(self._views.get(client, {}).values())

    def insets(self, client: str) -> set[Inset]:
        """Return the insets of the views that a client has open."""
        return {inset for view in self._views.get(client, {}) for inset in view.insets}

    def refuses(self, client: str, view: View | None, cells: int, max_streams: int) -> bool:
        """Return whether one more stream would exceed a client's quota of cells or streams.

        Args:
            view: the view of that stream if it is open already; it costs no cells if the client shows it.
            cells: of one page of it.
            max_streams: of the process.
        """
        if client == EXEMPT:
            return False
        views = self._views.get(client, {})
        if view not in views and sum(each.cells for each in views) + cells > CELLS_EACH:
            return True
        return self.streams(client) >= max(_LEAST_STREAMS_EACH, max_streams // _STREAMS_SHARE)

    def ranks(self) -> dict[str, int]:
        """Return the rank of each instrument on open pages, within the quota of each client.

        Many clients have the same view open. It is counted once, for the client that has it earliest.
        """
        first: dict[View, tuple[int, int]] = {}
        for client, views in self._views.items():
            place, quota = 0, client_limit(client, PAGES_EACH)
            for view in views:
                if place < min(quota, first.get(view, _NO_PLACE)[0]):
                    first[view] = place, quota
                place += len(view.keys)
        ranks: dict[str, int] = {}
        for view, (place, quota) in first.items():
            for number, key in enumerate(view.keys[: quota - place], place):
                rank = rank_of(number)
                if rank < ranks.get(key, LIMIT):
                    ranks[key] = rank
        return ranks
