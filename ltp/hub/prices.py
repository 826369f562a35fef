"""What one web process knows of prices: the board, and when the cache has to be asked because the board
cannot vouch.

Between the relay and the views. Knows neither browsers nor Redis: it is handed a cache read, and told what is
shown by the views.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp import metrics
from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import Feed
from ltp.core.ticks.wire import Batch
from ltp.errors import StoreError
from ltp.hub.board import CAPACITY, Board
from ltp.hub.entry import VouchedQuotes
from ltp.hub.views import Views

ASKED_FOR_S: Final = 10.0  # how long an instrument counts as shown after a page or a poll asked for it
FRESH_S: Final = (
    20.0  # what is not shown may have been unsubscribed: after so long without a word it is read again
)
REREAD_S: Final = 30.0  # heals what no gap told of, such as an instrument that is subscribed no more
_REREAD_MISSING_S: Final = 2.0

Snapshot = Callable[[Sequence[str]], list[CachedTick]]

log = logging.getLogger(__name__)


class Prices:
    """`status`: returns markup on the market as a whole, asked once a second; open pages are sent it when it
    changes.

    `session`: the newest trading date among the NSE shares that are shown, known while that market is closed;
    else empty.
    """

    def __init__(self, snapshot: Snapshot, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self.status: Callable[[], str] | None = None
        self.session = ""
        self._snapshot, self._monotonic = snapshot, monotonic
        self._lock = threading.RLock()
        self._asked: dict[str, float] = {}
        self._missing: set[str] = set()
        self._next_reread_s = 0.0
        self._board = Board(now, monotonic)
        self._views = Views()

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
    def doubts(self) -> Mapping[str, str]:
        """Segments whose prices may not be shown as live although the feed is, each with the reason; see
        core.ticks.wire.Batch.
        """
        return self._board.doubts

    @property
    def notice(self) -> str:
        """What pages say of the trading hours, empty while they are certain."""
        return self._board.notice

    def feed_states(self) -> Mapping[str, FeedState]:
        """Return the state of each broker connection now, see `Board.feed_states`."""
        with self._lock:
            return self._board.feed_states()

    @property
    def last_tick_at(self) -> int:
        """Microseconds at which the feed last spoke of any instrument known here, 0 when it never did."""
        return self._board.last_tick_at

    @property
    def source(self) -> str:
        """Whose prices these are by the newest batch: "dhanhq", "simulator", or empty before the first."""
        return self._board.source

    def shown(self) -> set[str]:
        """Return the instruments somebody looks at: open views, and what pages asked for within the last
        seconds.
        """
        with self._lock:
            return self._views.shown() | self._asked.keys()

    def last_known(self, keys: Sequence[str]) -> list[Quote]:
        """Return what is known of `keys` without reading the cache: for who has just seen that it cannot be
        read.
        """
        with self._lock:
            self._changed(self._board.refresh(keys))
            return self._board.quotes(keys)

    def quotes(self, keys: Sequence[str]) -> list[Quote]:
        """Return what is known of `keys`, in their order. Reads from the cache what the board cannot vouch
        for.

        Never raises: without the cache the last known values stand, and what was never seen is unknown.
        """
        self._confirm(keys)
        return self.last_known(keys)

    @property
    def stamp(self) -> int:
        """What `vouched` returns is the same while this is; 0: nothing is vouched for now."""
        return self._board.stamp

    def vouched(self, keys: Sequence[str]) -> VouchedQuotes | None:
        """Return the quotes of `keys` as the cache would give them, None when it has to be asked; see
        `Board.vouched`.
        """
        if not self.stamp or len(self._asked) > CAPACITY or not self._confirm(keys):
            return (
                None  # what was asked for is kept, so there must not be more of it than the board is made for
            )
        with self._lock:
            vouched = self._board.vouched(keys)
            if vouched and vouched.late:
                self._changed(self._board.refresh(vouched.late))
                vouched = self._board.vouched(keys)
        return vouched

    def _confirm(self, keys: Sequence[str]) -> bool:
        """Count `keys` as shown, and read from the cache what the board cannot vouch for; false when that
        cannot be read.
        """
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
        if now >= self._next_reread_s or (
            self._missing and now >= self._next_reread_s - REREAD_S + _REREAD_MISSING_S
        ):
            self._reread()

    def _reread(self) -> None:
        keys = sorted(self.shown())
        self._next_reread_s = self._monotonic() + REREAD_S
        known = self._snapshot(keys) if keys else []
        with self._lock:
            self._missing.clear()
            # On the thread that takes batches in, so none has come since.
            self._changed(self._board.load(known, newest=True))

    def _refresh(self) -> None:
        now = self._monotonic()
        with self._lock:
            self._asked = {key: at for key, at in self._asked.items() if now - at <= ASKED_FOR_S}
            shown = self._views.shown()
            self._board.trim(shown | self._asked.keys())
            self.session = self._newest(shown) if self.phase.get("NSE_EQ") == "closed" else ""
            if self.status and self._board.say(self.status()):
                self._views.mark_status()
            self._changed(self._board.refresh(shown))

    def _newest(self, shown: Iterable[str]) -> str:
        quotes = self._board.quotes([key for key in shown if key.startswith("NSE_EQ:")])
        return max((quote.tick.session for quote in quotes if quote.tick), default="")

    def _changed(self, keys: list[str]) -> None:
        self._views.mark(keys)
