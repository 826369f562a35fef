"""Quotes from the board, and from the cache where the board may be out of date."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from ltp import metrics
from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import Feed
from ltp.core.ticks.wire import Batch
from ltp.errors import StoreError
from ltp.hub.board import CAPACITY, Board
from ltp.hub.entry import VouchedQuotes

RECENT_S: Final = 10.0  # how long an instrument counts as shown after a page or a poll needed it
# An instrument that is not shown may have been unsubscribed: after so long without a tick it is read again.
FRESH_S: Final = 20.0
REREAD_S: Final = 30.0  # repairs changes without a gap, such as an instrument that is no longer subscribed
_REREAD_MISSING_S: Final = 2.0

Snapshot = Callable[[Sequence[str]], list[CachedTick]]

log = logging.getLogger(__name__)


class Prices:
    """`session`: while NSE is closed the newest trading date among its shares on open pages, otherwise empty.

    Args:
        snapshot: reads ticks from the cache; raises StoreError.
        shown: returns the instruments of open views.
        on_change: called with the instruments that look different now, while the lock is held.
    """

    def __init__(
        self,
        board: Board,
        snapshot: Snapshot,
        monotonic: Callable[[], float],
        lock: threading.RLock,
        *,
        shown: Callable[[], AbstractSet[str]],
        on_change: Callable[[list[str]], None],
    ) -> None:
        self.session = ""
        self._board, self._snapshot, self._lock, self._monotonic = board, snapshot, lock, monotonic
        self._in_views, self._on_change = shown, on_change
        self._recent: dict[str, float] = {}  # when a page or a poll last needed the instrument
        self._missing: set[str] = set()  # could not be read
        self._next_reread_s = 0.0

    def shown(self) -> set[str]:
        """Return the instruments of open views, and those that pages needed within the last seconds."""
        with self._lock:
            return self._recent.keys() | self._in_views()

    def last_known(self, keys: Sequence[str]) -> list[Quote]:
        """Return the quotes of `keys` without reading the cache, for callers that just failed to read it."""
        with self._lock:
            self._on_change(self._board.refresh(keys))
            return self._board.quotes(keys)

    def quotes(self, keys: Sequence[str]) -> list[Quote]:
        """Return the quotes of `keys`, in order; reads those from the cache that the board cannot vouch for.

        Never raises: without the cache the last known quotes are returned, "unknown" if there are none.
        """
        self._confirm(keys)
        return self.last_known(keys)

    def vouched(self, keys: Sequence[str]) -> VouchedQuotes | None:
        """Return the quotes that the cache has of `keys`, None if it must be read; see Board.vouched."""
        # Every instrument needed lately is kept on the board, so there must not be more than it has room for.
        if not self._board.stamp or len(self._recent) > CAPACITY or not self._confirm(keys):
            return None
        with self._lock:
            vouched = self._board.vouched(keys)
            if vouched and vouched.outdated:
                self._on_change(self._board.refresh(vouched.outdated))
                vouched = self._board.vouched(keys)
        return vouched

    def apply(self, batch: Batch) -> None:
        with self._lock:
            self._on_change(self._board.apply(batch, self._in_views()))

    def repair(self) -> None:
        """Read shown instruments from the cache and forget the others: a lost batch may have changed them."""
        started_s = self._monotonic()
        with self._lock:
            self._board.gap()
        self._reread()
        with self._lock:
            self._board.drop_unconfirmed(started_s, self._in_views())

    def reread_when_due(self) -> None:
        """Read all shown instruments from the cache every 30 s, after a failed read every 2 s."""
        now = self._monotonic()
        if now >= self._next_reread_s or (
            self._missing and now >= self._next_reread_s - REREAD_S + _REREAD_MISSING_S
        ):
            self._reread()

    def refresh(self) -> None:
        """Once a second: work out the states of shown prices again, forget instruments no longer shown."""
        now = self._monotonic()
        with self._lock:
            self._recent = {key: at for key, at in self._recent.items() if now - at <= RECENT_S}
            shown = self._in_views()
            self._board.trim(self._recent.keys() | shown)
            self.session = self._newest_session(shown) if self._board.phase.get("NSE_EQ") == "closed" else ""
            self._on_change(self._board.refresh(shown))

    def _confirm(self, keys: Sequence[str]) -> bool:
        """Count `keys` as shown, and read those that the board cannot vouch for; false if that failed."""
        now = self._monotonic()
        with self._lock:
            shown, recent = self._in_views(), self._recent
            unconfirmed = self._board.unconfirmed(
                keys, now - FRESH_S, lambda key: key in shown or key in recent
            )
            # Before the read: a repair that runs meanwhile has to include them.
            recent.update(dict.fromkeys(keys, now))
        return not unconfirmed or self._load(unconfirmed)

    def _load(self, keys: Sequence[str]) -> bool:
        try:
            cached = self._snapshot(keys)
        except StoreError as error:
            metrics.count("snapshots_failed")
            log.debug("Prices cannot be read: %s", error)
            with self._lock:
                self._missing.update(keys)
            return False
        with self._lock:
            self._on_change(self._board.load(cached))
        return True

    def _reread(self) -> None:
        keys = sorted(self.shown())
        self._next_reread_s = self._monotonic() + REREAD_S
        cached = self._snapshot(keys) if keys else []
        with self._lock:
            self._missing.clear()
            # This is the thread that applies batches, so none has been applied since the read.
            self._on_change(self._board.load(cached, newest=True))

    def _newest_session(self, shown: Iterable[str]) -> str:
        quotes = self._board.quotes([key for key in shown if key.startswith("NSE_EQ:")])
        return max((quote.tick.session for quote in quotes if quote.tick), default="")


class Readings:
    """What pages read of the feed and the market. `link_age_s`, `feed`, `phase`, `last_tick_at`: see Board."""

    board: Board
    prices: Prices
    _lock: threading.RLock

    @property
    def link_age_s(self) -> float:
        return self.board.link_age_s

    @property
    def feed(self) -> Feed:
        return self.board.feed

    @property
    def phase(self) -> Mapping[str, str]:
        return self.board.phase

    @property
    def doubts(self) -> Mapping[str, str]:
        """The reason by segment why its prices are not shown as live although the feed is; see Batch."""
        return self.board.doubts

    @property
    def notice(self) -> str:
        """A sentence for pages while the trading hours are uncertain, else empty."""
        return self.board.notice

    def feed_states(self) -> Mapping[str, FeedState]:
        """Return the state of each broker connection now, see `Board.feed_states`."""
        with self._lock:
            return self.board.feed_states()

    @property
    def last_tick_at(self) -> int:
        return self.board.last_tick_at

    @property
    def source(self) -> str:
        """The source of the newest batch: "dhanhq", "simulator", or empty before the first."""
        return self.board.source

    @property
    def session(self) -> str:
        return self.prices.session

    @property
    def stamp(self) -> int:
        """`vouched` returns the same while this is the same; 0: it returns None."""
        return self.board.stamp
