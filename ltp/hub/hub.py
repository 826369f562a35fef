"""The fan-out of one web process, assembled: quotes for pages and the API, and streams for browsers.

Knows neither Redis nor templates: it is given an iterable of batches, a cache read and a function that draws
a cell.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from ltp.core.alerts.notice import Notice
from ltp.core.clients.client_address import EXEMPT
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.wire import Batch
from ltp.errors import LTPError
from ltp.hub.board import Board
from ltp.hub.clients import Clients
from ltp.hub.column_cache import RenderCell
from ltp.hub.descriptor import take_over
from ltp.hub.follow import follow
from ltp.hub.fragments import Fragments
from ltp.hub.insets import Inset
from ltp.hub.notices.kept import Notices
from ltp.hub.pacer import Pacer
from ltp.hub.prices import Prices, Readings, Snapshot
from ltp.hub.relay import Relay, Subscribe
from ltp.hub.sockets import Sockets, detachable
from ltp.hub.view import View, cells_of, view_key
from ltp.hub.views import Views
from ltp.hub.writer import StreamWriter, drain_s, stream_life_s

_DROP_UNUSED_EVERY_S: Final = 30.0
_URGENT_EVERY_S: Final = 0.25  # between, firings go with the pages' usual events: many may come at once

log = logging.getLogger(__name__)


class Hub(Readings):
    """`status`: returns markup about the market as a whole; called once a second, sent to open pages when it
    changes. `on_shown`: called with the instruments of a view that was not open before, so that the worker
    subscribes them at once. `draw_notice`: returns the markup of a firing. `stored_notices`: returns the newest
    firings, each with the seconds since the epoch at which it was noticed. `quotes`, `last_known`, `vouched`: see
    Prices.

    Pages and the API use these and the methods; the parts are public for measurements and tests.
    """

    def __init__(
        self,
        subscribe: Subscribe,
        snapshot: Snapshot,
        cell: RenderCell,
        *,
        min_interval_s: float,
        stall_timeout_s: float,
        max_streams: int,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.max_streams, self.stall_timeout_s = max_streams, stall_timeout_s
        self.status: Callable[[], str] | None = None
        self.on_shown: Callable[[Sequence[str]], None] | None = None
        self.draw_notice: Callable[[Notice], str] = lambda notice: str(notice.id)
        self.stored_notices: Callable[[], Iterable[tuple[Notice, float]]] = tuple
        self.notices, self._next_urgent_s = Notices(), 0.0
        self._now, self._monotonic = now, monotonic
        self._lock, self._wake = threading.RLock(), threading.Event()
        self._pacer = Pacer(min_interval_s)
        self._fragments = Fragments(cell)
        self.board = Board(now, monotonic)
        self.views = Views()
        self.prices = Prices(
            self.board, snapshot, monotonic, self._lock, shown=self.views.shown, on_change=self._mark_views
        )
        self.quotes = self.prices.quotes
        self.last_known = self.prices.last_known
        self.vouched = self.prices.vouched
        self.clients = Clients()
        self.sockets = Sockets(
            stall_timeout_s=stall_timeout_s, monotonic=monotonic, wake=self._wake.set, clients=self.clients
        )
        self.writer = StreamWriter(
            self.views,
            self.sockets,
            self._pacer,
            self._lock,
            self.refresh,
            wake=self._wake,
            monotonic=monotonic,
        )
        self._relay = Relay(
            subscribe, self.apply, self._repair, self.prices.reread_when_due, self.notify, monotonic=monotonic
        )
        self._started = False
        self._next_drop_s = 0.0

    def start(self) -> tuple[threading.Thread, ...]:
        """Start and return the threads of relay and writer; after the fork, which threads do not survive."""
        if not self._started:
            self._started = True
            self._relay.start()
            self.writer.start()
        return self._relay, self.writer

    def stop(self) -> None:
        self._relay.stop()
        self.writer.stop()

    def apply(self, batch: Batch) -> None:
        """Apply one batch; called by the relay's thread."""
        with self._lock:
            if batch.ticks:
                self._pacer.note_batch(self._monotonic())
            self.prices.apply(batch)

    def notify(self, notice: Notice, at: float | None = None) -> None:
        """Show a firing on every open page; one that is known changes nothing. Called by the relay's thread.

        Args:
            at: when it was noticed, seconds since the epoch; None for now.
        """
        markup, now = self.draw_notice(notice), self._monotonic()
        with self._lock:
            if self.notices.knows(notice.id):
                return
            self.board.version += 1
            self.notices.add(notice.id, self._now() if at is None else at, markup, self.board.version)
            if now >= self._next_urgent_s:
                self._next_urgent_s = now + _URGENT_EVERY_S
                self.views.mark_urgent()
            else:
                self.views.mark_status()
        self._wake.set()

    def refresh(self) -> None:
        """Work out again everything that changes with time; called once a second by the writer's thread."""
        with self._lock:
            self.prices.refresh()
            if self.status and self.board.set_status(self.status()):
                self.views.mark_status()
        now = self._monotonic()
        if now >= self._next_drop_s:
            self._next_drop_s = now + _DROP_UNUSED_EVERY_S
            with self._lock:
                self._fragments.drop_unused()

    def partials(self, quotes: Iterable[Quote], columns: Sequence[str]) -> str:
        """Return the cells of `quotes` as markup that replaces those on a page."""
        with self._lock:
            return self._fragments.cell_cache(tuple(columns)).steady(quotes)

    @property
    def streams(self) -> int:
        return len(self.sockets) + sum(view.followers for view in self.views)

    @property
    def slow_browsers(self) -> int:
        """Browsers on detached sockets that have not taken all their events."""
        return len(self.sockets.slow_browsers)

    def refusal(self, keys: Sequence[str], columns: Sequence[str], client: str, *insets: Inset) -> str:
        """Return the reason to refuse one more stream of this page to a client, empty if there is none.

        draining: the process ends. full: of streams. client: its quota of streams, or of cells in different
        views, is used up. views: all open views together cost as much as the process can assemble.
        """
        if self.draining or self.streams >= self.max_streams:
            return "draining" if self.draining else "full"
        key = view_key(keys, columns, insets)
        cells = cells_of(key, insets)
        with self._lock:
            view = self.views.get(key)
            if self.clients.refuses(client, view, cells, self.max_streams):
                return "client"
            return "" if view or self.views.has_room(cells) else "views"

    def view(self, keys: Sequence[str], columns: Sequence[str], *insets: Inset) -> View:
        """Return the view of these instruments, columns and insets, which all pages with the same ones share."""
        key = view_key(keys, columns, insets)
        present = self.views.get(key)
        if present is None or not present.streams:  # else they are followed, and missing ones are read again
            self.quotes(key[0])
        with self._lock:
            present = self.views.get(key)
            parts = self.board, self._fragments, self._lock, insets, self.notices
            view = present or self.views.add(View(key, *parts))
            view.touched_s = self._monotonic()
            if present is None:
                view.sent_s, view.phase = view.touched_s, self._pacer.new_phase()
        if present is None and self.on_shown:
            try:
                self.on_shown(view.keys)
            except LTPError as error:
                log.warning("The instruments of a new page could not be requested: %s", error)
        return view

    def set_inset(self, inset: Inset, part: str, markup: str) -> None:
        """Replace a part of an inset, which the next events of its views carry."""
        with self._lock:
            if inset.set(part, markup, self.board):
                self.views.mark_inset(inset)
                self._wake_for_due()

    def insets_of(self, client: str) -> set[Inset]:
        with self._lock:  # of its open streams
            return self.clients.insets(client)

    def can_detach(self, connection: object) -> bool:
        return self._started and detachable(connection)

    def attach(
        self,
        connection: Any,
        head: bytes,
        view: View,
        *,
        last_event_id: str | None,
        client: str = EXEMPT,
        seen: int | None = None,
    ) -> None:
        """Detach the socket from its request and send events to it from now on.

        Does not yield to other greenlets, so no change falls between the first event and the next.

        Args:
            seen: the newest firing that the reader has seen, None for an unknown reader.
        """
        with self._lock:
            # A view that was dropped during its request has missed changes; its first event starts it afresh.
            view = self.views.add(view)
            opening = head + view.first_event(last_event_id, self.notices.opening(seen, self._now()))
            # The kernel's time-out is longer than ours, so that streams end for our reason: the kernel counts
            # from the moment at which the browser's window shuts, which is earlier.
            fd = take_over(connection, max(15.0, self.stall_timeout_s + 5.0))
            self.sockets.attach(fd, view, opening, self._monotonic() + stream_life_s(), client)

    def follow(
        self, view: View, *, last_event_id: str | None, client: str = EXEMPT, seen: int | None = None
    ) -> Iterator[bytes]:
        """Return the same stream as a generator."""
        with self._lock:
            view = self.views.add(view)
            view.touched_s = self._monotonic()

        def open_() -> bytes:
            self.views.add(view)
            self.clients.join(client, view)
            return view.first_event(last_event_id, self.notices.opening(seen, self._now()))

        return follow(
            view,
            open_,
            lambda: self.clients.leave(client, view),
            until_s=self._monotonic() + stream_life_s(),
            draining=lambda: self.draining,
            stall_timeout_s=self.stall_timeout_s,
            monotonic=self._monotonic,
        )

    def ranks(self) -> dict[str, int]:
        """Return the rank of each instrument on open pages; see core.clients.allotment."""
        with self._lock:
            return self.clients.ranks()

    @property
    def draining(self) -> bool:
        return self.writer.draining

    def drain(self, at_most_s: float) -> None:
        """Begin to send every browser away with a time to reconnect; `streams` is the number still open.

        A few leave at once, many are spread over `at_most_s`; a second after that the last are cut.
        """
        self.writer.drain(drain_s(self.streams, at_most_s))

    def _repair(self) -> None:
        self.prices.repair()
        for notice, at in self.stored_notices():
            self.notify(notice, at)

    def _mark_views(self, changed: list[str]) -> None:
        self.views.mark(changed)
        self._wake_for_due()

    def _wake_for_due(self) -> None:
        if self.views.next_due_s() <= self._monotonic() + self._pacer.early_s:
            self._wake.set()
