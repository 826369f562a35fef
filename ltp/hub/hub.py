"""The fan-out of one web process, assembled: what pages, the API and streams ask for.

Knows neither Redis nor templates: it is handed an iterable of batches, a cache read and a function that draws
a cell.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from ltp.core.clients.client_address import EXEMPT
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.wire import Batch
from ltp.errors import LTPError
from ltp.hub.clients import Clients
from ltp.hub.column import Cell
from ltp.hub.descriptor import take_over
from ltp.hub.follow import follow
from ltp.hub.fragments import Fragments
from ltp.hub.pacer import Pacer
from ltp.hub.prices import Prices, Snapshot
from ltp.hub.relay import Relay, Subscribe
from ltp.hub.sockets import Sockets, detachable
from ltp.hub.view import View, ViewKey
from ltp.hub.writer import StreamWriter

_DRAIN_PER_S: Final = 500
_DRAIN_LEAST_S: Final = 0.05
_ROTATE_S: Final = (15 * 60, 20 * 60)
_FORGET_EVERY_S: Final = 30.0
_STREAMS_SHARE: Final = (
    4  # a client has at most this part of a process's streams, and may always have as many as
)
_LEAST_STREAMS_EACH: Final = 20

log = logging.getLogger(__name__)


class Hub(Prices):
    """`on_shown`: called with the keys of a view that was not open before, so that they can be asked for at
    once.
    """

    def __init__(
        self,
        subscribe: Subscribe,
        snapshot: Snapshot,
        cell: Cell,
        *,
        min_interval_s: float,
        stall_timeout_s: float,
        max_streams: int,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(snapshot, now, monotonic)
        self.max_streams = max_streams
        self.on_shown: Callable[[Sequence[str]], None] | None = None
        self.stall_timeout_s = stall_timeout_s
        self._wake = threading.Event()
        self._fragments = Fragments(cell)
        self._turns = Pacer(min_interval_s)
        self._clients = Clients()
        self._sockets = Sockets(
            stall_timeout_s=stall_timeout_s, monotonic=monotonic, wake=self._wake.set, clients=self._clients
        )
        self._writer = StreamWriter(
            self._views,
            self._sockets,
            self._lock,
            self._refresh,
            wake=self._wake,
            turns=self._turns,
            monotonic=monotonic,
        )
        self._relay = Relay(subscribe, self._apply, self._repair, self._reread_when_due, monotonic=monotonic)
        self._started = False
        self._next_forget_s = 0.0

    def start(self) -> tuple[threading.Thread, ...]:
        """Start following and sending, and return the threads that do. After the fork: threads do not survive
        it.
        """
        if not self._started:
            self._started = True
            self._relay.start()
            self._writer.start()
        return self._relay, self._writer

    def stop(self) -> None:
        self._relay.stop()
        self._writer.stop()

    def drain(self, at_most_s: float) -> None:
        """Begin to send every browser away with a time to come back at; `streams` tells how many are left.

        Few are sent at once, many spread over `at_most_s`; a second after that the last are cut.
        """
        self._writer.drain(max(_DRAIN_LEAST_S, min(at_most_s, self.streams / _DRAIN_PER_S)))

    @property
    def draining(self) -> bool:
        return self._writer.draining

    @property
    def streams(self) -> int:
        return len(self._sockets) + sum(view.followers for view in self._views)

    @property
    def behind(self) -> int:
        """Browsers that have not taken all they were sent, of those whose sockets left their request."""
        return self._sockets.late

    def refusal(self, keys: Sequence[str], columns: Sequence[str], client: str) -> str:
        """Return why there is no stream for one more page of a client, in a word; empty when there is one.

        full: of streams. client: it has as many streams, or as many cells in different views, as a client
        may. views: what all have open takes this process enough to put together.
        """
        if self.draining or self.streams >= self.max_streams:
            return "draining" if self.draining else "full"
        key = _view_key(keys, columns)
        cells, most_streams = (
            len(key[0]) * len(key[1]),
            max(_LEAST_STREAMS_EACH, self.max_streams // _STREAMS_SHARE),
        )
        with self._lock:
            known = self._views.get(key)
            if self._clients.refuses(client, known, cells, most_streams):
                return "client"
            return "" if known or self._views.has_room(cells) else "views"

    def view(self, keys: Sequence[str], columns: Sequence[str]) -> View:
        """Return the view of these instruments and columns, the same for every page that shows the same."""
        key = _view_key(keys, columns)
        known = self._views.get(key)
        if (
            known is None or not known.streams
        ):  # else its prices are followed, and read again where they are missing
            self.quotes(key[0])
        with self._lock:
            known = self._views.get(key)
            view = known or self._views.add(View(key, self._board, self._fragments, self._lock))
            view.touched_s = self._monotonic()
            if known is None:
                view.sent_s, view.phase = view.touched_s, self._turns.phase()
        if known is None and self.on_shown:
            try:
                self.on_shown(view.keys)
            except LTPError as error:
                log.warning("Nobody could be told what is shown now: %s", error)
        return view

    def partials(self, quotes: Iterable[Quote], columns: Sequence[str]) -> str:
        """Return the cells of `quotes` as markup that replaces those on a page."""
        with self._lock:
            return self._fragments.sheet(tuple(columns)).calm(quotes)

    def can_detach(self, connection: object) -> bool:
        return self._started and detachable(connection)

    def attach(
        self,
        connection: Any,
        head: bytes,
        view: View,
        *,
        last_event_id: str | None,
        tail: str,
        client: str = EXEMPT,
    ) -> None:
        """Take the socket out of its request and send prices to it from now on. Does not yield, so nothing is
        missed.
        """
        with self._lock:
            # A view dropped while its request was under way has missed changes; `first` starts it afresh.
            view = self._views.add(view)
            opening = head + view.first(last_event_id, tail)
            # Later than our own limit, so that the reason of the end is ours; the kernel sees a shut window
            # first.
            fd = take_over(connection, max(15.0, self.stall_timeout_s + 5.0))
            self._sockets.attach(fd, view, opening, self._leave_at_s(), client)

    def follow(
        self, view: View, *, last_event_id: str | None, tail: str, client: str = EXEMPT
    ) -> Iterator[bytes]:
        """Return the same stream as a generator."""
        with self._lock:
            view = self._views.add(view)
            view.touched_s = self._monotonic()

        def open_() -> bytes:
            self._views.add(view)
            self._clients.join(client, view)
            return view.first(last_event_id, tail)

        return follow(
            view,
            open_,
            lambda: self._clients.leave(client, view),
            until_s=self._leave_at_s(),
            draining=lambda: self.draining,
            stall_timeout_s=self.stall_timeout_s,
            monotonic=self._monotonic,
        )

    def ranks(self) -> dict[str, int]:
        """Return what open pages show, within the quota of each client, with the rank of each wish; see
        core.clients.allotment.
        """
        with self._lock:
            return self._clients.ranks()

    def _leave_at_s(self) -> float:
        return self._monotonic() + random.uniform(*_ROTATE_S)

    def _apply(self, batch: Batch) -> None:
        with self._lock:
            if batch.ticks:
                self._turns.heard(self._monotonic())
            super()._apply(batch)

    def _refresh(self) -> None:
        super()._refresh()
        now = self._monotonic()
        if now >= self._next_forget_s:
            self._next_forget_s = now + _FORGET_EVERY_S
            with self._lock:
                self._fragments.forget_unused()

    def _changed(self, keys: list[str]) -> None:
        super()._changed(keys)
        if self._views.next_due_s() <= self._monotonic() + self._turns.early_s:
            self._wake.set()


def _view_key(keys: Iterable[str], columns: Iterable[str]) -> ViewKey:
    return tuple(sorted(set(keys))), tuple(columns)
