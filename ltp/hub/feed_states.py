"""The state of each broker connection, from its newest batch.

Several connections may publish on the channel, each with batches of its own: a reconnect, a silence or the
death of one must not touch the prices of the others. Phases come from all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, Feed
from ltp.core.ticks.wire import Batch

# A connection publishes once a second. After this long without a batch, the cache may be newer than the
# board.
_VOUCHES_FOR_S: Final = 3.0
# A connection without a batch for so long has ended for good. Until then, the feed as a whole counts as down.
_FORGOTTEN_AFTER_S: Final = 600.0
_MOST: Final = 16  # connections; any program may publish any number of names
_WORST_FIRST: Final[tuple[Feed, ...]] = ("down", "silent", "live", "off")


class _Connection:
    """Members of the newest batch of one connection, and `received_s`: when it came, a monotonic instant.

    `linked`: that was at most LINK_DEAD_AFTER_S ago, at the last look.
    """

    __slots__ = ("doubts", "feed", "linked", "received_s", "since")

    def __init__(self) -> None:
        self.feed: Feed = "down"
        self.since = 0
        self.doubts: Mapping[str, str] = {}
        self.received_s = float("-inf")
        self.linked = False


class _Present(dict[str, FeedState]):
    """Feed states by connection; of an unknown one, that of a dead connection."""

    def __init__(self, now_s: float, states: Mapping[str, FeedState]) -> None:
        super().__init__(states)
        self._dead = FeedState(now_s)

    def __missing__(self, connection: str) -> FeedState:
        return self._dead


class FeedStates:
    """`phase`: by segment, from the newest batch of all. `several`: more than one connection was named since
    the start. While it is False, callers need not look at the connection of a price.

    Properties may be read from any thread while one applies batches.
    """

    def __init__(self, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._now, self._monotonic = now, monotonic
        self._connections: dict[str, _Connection] = {}  # replaced as a whole, never changed
        self._received_s = float("-inf")
        self._first = ""
        self.several = False
        self.phase: Mapping[str, str] = {}
        self._closed: frozenset[str] = frozenset()

    def note(self, connection: str) -> None:
        """Note that a batch or a price names this connection."""
        self.several = self.several or connection != (self._first or connection)
        self._first = self._first or connection

    def apply(self, batch: Batch, received_s: float) -> tuple[bool, bool]:
        """Take over the states in a batch, received at a monotonic instant.

        Returns:
            Whether prices of the connection may be in another state now, and whether `since` is another.
        """
        known = self._connections.get(batch.connection)
        if known is None or len(self._connections) > 1:
            known = self._keep(batch.connection, received_s)
        before = known.feed, known.since, self.phase, known.doubts
        turned = before != (batch.feed, batch.since, batch.phase, batch.doubts) or not known.linked
        reconnected = batch.since != known.since
        known.feed, known.since, known.doubts = batch.feed, batch.since, batch.doubts
        known.received_s, known.linked = received_s, True
        self._received_s = received_s
        if turned:
            self.phase = dict(batch.phase)
            self._closed = frozenset(segment for segment, phase in batch.phase.items() if phase == "closed")
        return turned, reconnected

    def of(self, connection: str) -> FeedState:
        """Return the state of one connection now."""
        known = self._connections.get(connection)
        return FeedState(self._now()) if known is None else self._state(known, self._now(), self._monotonic())

    def all(self) -> Mapping[str, FeedState]:
        """Return the states of all connections now; any other name gives that of a dead connection."""
        now_s, at_s = self._now(), self._monotonic()
        states = {name: self._state(known, now_s, at_s) for name, known in self._connections.items()}
        return _Present(now_s, states)

    def vouching(self) -> dict[str, FeedState]:
        """Return the states of the connections whose prices the board knows as well as the cache."""
        now_s, at_s = self._now(), self._monotonic()
        return {
            name: self._state(known, now_s, at_s)
            for name, known in self._connections.items()
            if known.feed == "live" and at_s - known.received_s <= _VOUCHES_FOR_S
        }

    @property
    def vouch(self) -> bool:
        """A connection is live, and each live one has published lately.

        One that is down does not count: its prices alone are read from the cache.
        """
        at_s, fresh = self._monotonic(), False
        for known in self._connections.values():
            if known.feed == "live":
                age_s = at_s - known.received_s
                if _VOUCHES_FOR_S < age_s <= LINK_DEAD_AFTER_S:
                    return False
                fresh = fresh or age_s <= _VOUCHES_FOR_S
        return fresh

    @property
    def link_age_s(self) -> float:
        """Seconds since the newest batch of any connection, infinite before the first."""
        return self._monotonic() - self._received_s

    @property
    def feed(self) -> Feed:
        """The worst state of any connection; "down" is also that of one without a recent batch."""
        at_s = self._monotonic()
        feeds = {
            known.feed if at_s - known.received_s <= LINK_DEAD_AFTER_S else "down"
            for known in self._connections.values()
        }
        return next((feed for feed in _WORST_FIRST if feed in feeds), "down")

    @property
    def doubts(self) -> Mapping[str, str]:
        """`Batch.doubts` of all connections; of two reasons for one segment, one in words."""
        doubts: dict[str, str] = {}
        for known in self._connections.values():
            for segment, reason in known.doubts.items():
                doubts[segment] = doubts.get(segment) or reason
        return doubts

    def _state(self, known: _Connection, now_s: float, at_s: float) -> FeedState:
        known.linked = at_s - known.received_s <= LINK_DEAD_AFTER_S
        return FeedState(now_s, known.linked, known.feed, known.since, self._closed, known.doubts)

    def _keep(self, connection: str, at_s: float) -> _Connection:
        """Return the connection, a new one if need be; forget those that ended."""
        kept = {
            name: known
            for name, known in self._connections.items()
            if at_s - known.received_s <= _FORGOTTEN_AFTER_S
        }
        known = kept.pop(connection, None) or _Connection()
        while len(kept) >= _MOST:
            del kept[min(kept, key=lambda name: kept[name].received_s)]
        kept[connection] = known
        self._connections = kept
        self.note(connection)
        return known
