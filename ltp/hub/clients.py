"""Which client has which views open. Beside the views; the caller holds the hub's lock."""

from __future__ import annotations

from typing import Final

from ltp.core.clients.allotment import LIMIT, PAGES_EACH, client_limit, rank_of
from ltp.core.clients.client_address import EXEMPT
from ltp.hub.view import View

CELLS_EACH: Final = 50_000  # of a client's different views: a hundred pages of 50 rows and ten columns
_NONE: Final = (LIMIT, 0)


class Clients:
    def __init__(self) -> None:
        self._views: dict[
            str, dict[View, int]
        ] = {}  # streams by client and view, in the order the views were opened

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

    def refuses(self, client: str, view: View | None, cells: int, most_streams: int) -> bool:
        """Tell whether one more stream of a client would cost more than a client may. `view`: it is known;
        else it has so many cells.
        """
        if client == EXEMPT:
            return False
        views = self._views.get(client, {})
        if view not in views and sum(each.cells for each in views) + cells > CELLS_EACH:
            return True
        return self.streams(client) >= most_streams

    def ranks(self) -> dict[str, int]:
        """Return what open pages show within the quota of whoever opened them, with the rank of each.

        A view is looked at once, for the client to whom it comes first: many clients have the same one open.
        """
        first: dict[View, tuple[int, int]] = {}
        for client, views in self._views.items():
            place, quota = 0, client_limit(client, PAGES_EACH)
            for view in views:
                if place < min(quota, first.get(view, _NONE)[0]):
                    first[view] = place, quota
                place += len(view.keys)
        ranks: dict[str, int] = {}
        for view, (place, quota) in first.items():
            for number, key in enumerate(view.keys[: quota - place], place):
                rank = rank_of(number)
                if rank < ranks.get(key, LIMIT):
                    ranks[key] = rank
        return ranks
