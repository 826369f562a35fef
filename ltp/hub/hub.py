"""The fan-out of one web process, assembled: what pages, the API and streams ask for.

Knows neither Redis nor templates: it is handed an iterable of batches, a cache read and a function that draws a cell.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ltp import metrics
from ltp.core.quote import Known, Quote
from ltp.core.tick import Feed
from ltp.core.wire import Batch
from ltp.errors import LTPError, StoreError
from ltp.hub.board import CAPACITY, Board, Vouched
from ltp.hub.descriptor import take_over
from ltp.hub.follow import follow
from ltp.hub.fragments import Cell, Fragments
from ltp.hub.relay import Relay, Subscribe
from ltp.hub.sockets import Sockets, detachable
from ltp.hub.view import View
from ltp.hub.views import Views
from ltp.hub.writer import Writer

ASKED_FOR_S: Final = 10.0  # how long an instrument counts as shown after a page or a poll asked for it
FRESH_S: Final = 20.0  # what is not shown may have been unsubscribed: after so long without a word it is read again
REREAD_S: Final = 30.0  # heals what no gap told of, such as an instrument that is subscribed no more
_REREAD_MISSING_S: Final = 2.0
_DRAIN_PER_S: Final = 500
_DRAIN_LEAST_S: Final = 0.05
_ROTATE_S: Final = (15 * 60, 20 * 60)

Snapshot = Callable[[Sequence[str]], list[Known]]

log = logging.getLogger(__name__)


class Hub:
    """`on_shown`: called with the keys of a view that was not open before, so that they can be asked for at once.
    `status`: returns markup on the market as a whole, asked once a second; open pages are sent it when it changes.
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
        self.max_streams = max_streams
        self.on_shown: Callable[[Sequence[str]], None] | None = None
        self.status: Callable[[], str] | None = None
        self._snapshot, self._monotonic, self.stall_timeout_s = snapshot, monotonic, stall_timeout_s
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._asked: dict[str, float] = {}
        self._missing: set[str] = set()
        self._next_reread_s = 0.0
        self._board = Board(now, monotonic)
        self._fragments = Fragments(cell)
        self._views = Views()
        self._sockets = Sockets(stall_timeout_s=stall_timeout_s, monotonic=monotonic, wake=self._wake.set)
        self._writer = Writer(
            self._views,
            self._sockets,
            self._lock,
            self._refresh,
            wake=self._wake,
            min_interval_s=min_interval_s,
            monotonic=monotonic,
        )
        self._relay = Relay(subscribe, self._apply, self._repair, self._reread_when_due, monotonic=monotonic)
        self._started = False

    def start(self) -> None:
        """Start following and sending. After the fork: threads do not survive it."""
        if not self._started:
            self._started = True
            self._relay.start()
            self._writer.start()

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

    @property
    def link_age_s(self) -> float:
        """Seconds since the worker last spoke, infinite when it never did."""
        return self._board.link_age_s

    @property
    def feed(self) -> Feed:
        return self._board.feed

    @property
    def phase(self) -> Mapping[str, str]:
        return self._board.phase

    @property
    def since(self) -> int:
        """Microseconds at which the present feed connection was subscribed; a price received before is not covered."""
        return self._board.since

    @property
    def last_tick_at(self) -> int:
        """Microseconds at which the feed last spoke of any instrument known here, 0 when it never did."""
        return self._board.last_tick_at

    @property
    def source(self) -> str:
        """Whose prices these are by the newest batch: "dhanhq", "simulator", or empty before the first."""
        return self._board.source

    def shown(self) -> set[str]:
        """Return the instruments somebody looks at: open views, and what pages asked for within the last seconds."""
        with self._lock:
            return self._views.shown() | self._asked.keys()

    def last_known(self, keys: Sequence[str]) -> list[Quote]:
        """Return what is known of `keys` without reading the cache: for who has just seen that it cannot be read."""
        with self._lock:
            self._changed(self._board.refresh(keys))
            return [self._board.get(key) for key in keys]

    def quotes(self, keys: Sequence[str]) -> list[Quote]:
        """Return what is known of `keys`, in their order. Reads from the cache what the board cannot vouch for.

        Never raises: without the cache the last known values stand, and what was never seen is unknown.
        """
        self._confirm(keys)
        return self.last_known(keys)

    @property
    def stamp(self) -> int:
        """What `vouched` returns is the same while this is; 0: nothing is vouched for now."""
        return self._board.stamp

    def vouched(self, keys: Sequence[str]) -> Vouched | None:
        """Return the quotes of `keys` as the cache would give them, None when it has to be asked; see `Board.vouched`."""
        if not self.stamp or len(self._asked) > CAPACITY or not self._confirm(keys):
            return None  # what was asked for is kept, so there must not be more of it than the board is made for
        with self._lock:
            vouched = self._board.vouched(keys)
            if vouched and vouched.late:
                self._changed(self._board.refresh(vouched.late))
                vouched = self._board.vouched(keys)
        return vouched

    def view(self, keys: Sequence[str], columns: Sequence[str]) -> View:
        """Return the view of these instruments and columns, the same for every page that shows the same."""
        key = tuple(sorted(set(keys))), tuple(columns)
        self.quotes(key[0])
        with self._lock:
            known = self._views.get(key)
            view = known or self._views.add(View(key, self._board, self._fragments, self._lock))
            view.touched_s = self._monotonic()
            if known is None:
                view.sent_s = view.touched_s
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

    def attach(self, connection: Any, head: bytes, view: View, *, last_event_id: str | None, tail: str) -> None:
        """Take the socket out of its request and send prices to it from now on. Does not yield, so nothing is missed."""
        with self._lock:
            # A view dropped while its request was under way has missed changes; `first` starts it afresh.
            view = self._views.add(view)
            opening = head + view.first(last_event_id, tail)
            # Later than our own limit, so that the reason of the end is ours; the kernel sees a shut window first.
            fd = take_over(connection, max(15.0, self.stall_timeout_s + 5.0))
            self._sockets.attach(fd, view, opening, self._leave_at_s())

    def follow(self, view: View, *, last_event_id: str | None, tail: str) -> Iterator[bytes]:
        """Return the same stream as a generator."""
        with self._lock:
            view = self._views.add(view)
            view.touched_s = self._monotonic()

        def open_() -> bytes:
            self._views.add(view)
            return view.first(last_event_id, tail)

        return follow(
            view,
            open_,
            until_s=self._leave_at_s(),
            draining=lambda: self.draining,
            stall_timeout_s=self.stall_timeout_s,
            monotonic=self._monotonic,
        )

    def _leave_at_s(self) -> float:
        return self._monotonic() + random.uniform(*_ROTATE_S)

    def _confirm(self, keys: Sequence[str]) -> bool:
        """Count `keys` as shown, and read from the cache what the board cannot vouch for; false when that cannot be read."""
        now = self._monotonic()
        with self._lock:
            shown, asked = self._views.shown(), self._asked
            doubtful = self._board.doubtful(keys, now - FRESH_S, lambda key: key in shown or key in asked)
            # Marked before the read: a repair that runs meanwhile has to include them.
            asked.update(dict.fromkeys(keys, now))
        return not doubtful or self._load(doubtful)

    def _load(self, keys: Sequence[str]) -> bool:
        try:
            known = self._snapshot(keys)
        except StoreError as error:
            metrics.count("snapshots_failed")
            log.debug("Prices cannot be read: %s", error)
            with self._lock:
                self._missing.update(keys)
            return False
        with self._lock:
            self._changed(self._board.load(known))
        return True

    def _apply(self, batch: Batch) -> None:
        with self._lock:
            self._changed(self._board.apply(batch, self._views.shown()))

    def _repair(self) -> None:
        """Read everything shown again, forget the rest: any of it may have changed unheard."""
        started_s = self._monotonic()
        with self._lock:
            self._board.gap()
        self._reread()
        with self._lock:
            self._board.drop_unconfirmed(started_s, self._views.shown())

    def _reread_when_due(self) -> None:
        now = self._monotonic()
        if now >= self._next_reread_s or (self._missing and now >= self._next_reread_s - REREAD_S + _REREAD_MISSING_S):
            self._reread()

    def _reread(self) -> None:
        keys = sorted(self.shown())
        self._next_reread_s = self._monotonic() + REREAD_S
        known = self._snapshot(keys) if keys else []
        with self._lock:
            self._missing.clear()
            self._changed(self._board.load(known))

    def _refresh(self) -> None:
        now = self._monotonic()
        with self._lock:
            self._asked = {key: at for key, at in self._asked.items() if now - at <= ASKED_FOR_S}
            shown = self._views.shown()
            self._board.trim(shown | self._asked.keys())
            if self.status and self._board.say(self.status()):
                self._views.mark_status()
            self._changed(self._board.refresh(shown))

    def _changed(self, keys: list[str]) -> None:
        self._views.mark(keys)
        # Also for those whose rest is over: the writer would rather go round once with the batch than soon after it again.
        if self._views.next_due_s() <= self._monotonic():
            self._wake.set()
