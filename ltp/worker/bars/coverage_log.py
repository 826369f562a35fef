"""The coverage of the feed while it grows: connections and subscriptions in memory, until SQL has them.

Three threads call it: subscriptions (`follow`, `forget`), feed (`received`) and bars (the others).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from ltp.core.bars.coverage import Span, has_whole_minute
from ltp.core.trading_day import DAY_S, midnight_of
from ltp.db.bars.coverage import Connected, Subscription
from ltp.errors import DatabaseError

log = logging.getLogger(__name__)
MAX_WAITING: Final = 50_000  # spans: ten changes of 5,000 subscriptions, some 10 MB
UNPROVEN_S: Final = 10  # a silence of the feed is noticed within it, see feed.watch
_IN_ONE_WRITE: Final = 5_000
_US: Final = 1_000_000

Store = Callable[[Sequence[Connected], Sequence[Subscription]], bool]


class GapEnds(NamedTuple):
    """How many connections, and subscriptions on them, have begun: each may be the end of a gap."""

    connections: int = 0
    subscriptions: int = 0


class CoverageLog:
    """`changes`: the ends of gaps so far.

    A subscription is written once it has lasted a whole minute: those that go round among more instruments
    than the feed carries would be a million a day, and no bar of theirs is whole.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        """Args:
        store: writes spans, see `db.minutes.coverage.store`. Raises DatabaseError.
        """
        self._store, self._clock, self._lock = store, clock, threading.Lock()
        self._run = self._midnight = 0
        self._connection: Connected | None = None
        self._since_us = 0
        self._stored_connection: Connected | None = None
        self._followed: dict[str, int] = {}  # by key, since when
        self._written: set[str] = set()  # followed keys whose open span is stored
        self._ended: deque[Connected | Subscription] = deque(maxlen=MAX_WAITING)
        self._last_packet_us = 0
        self._refusal = ""
        self.changes = GapEnds()

    def follow(self, keys: Iterable[str]) -> None:
        """Set the subscribed keys, before the feed subscribes them."""
        with self._lock:
            now = self._begin_day()
            wanted = set(keys)
            for key in self._followed.keys() - wanted:
                self._unfollow(key, now)
            begun = wanted - self._followed.keys()
            self._followed.update(dict.fromkeys(begun, now + 1))
            if self._connection is not None:
                connections, subscriptions = self.changes
                self.changes = GapEnds(connections, subscriptions + len(begun))

    def forget(self, keys: Iterable[str]) -> None:
        """Begin anew with keys that were given to other instruments."""
        with self._lock:
            now = self._begin_day()
            for key in self._followed.keys() & set(keys):
                self._written.discard(key)
                self._followed[key] = now + 1

    def received(self, at_us: int) -> None:
        """Note the arrival of packets, microseconds since the epoch."""
        self._last_packet_us = at_us

    def look(self, since_us: int, *, silent: bool) -> None:
        """Take the state of the feed.

        Args:
            since_us: when the present connection was subscribed, 0 without one.
            silent: no packet proves that the connection still carries prices.
        """
        with self._lock:
            now = self._begin_day()
            if since_us != self._since_us:
                self._disconnect(now)
                self._since_us = since_us
                if since_us:
                    start = max(-(-since_us // _US), self._midnight)
                    self._connection = Connected(self._run, start, start)
                    self.changes = self.changes._replace(connections=self.changes.connections + 1)
            if silent:
                self._cover_until(min(now, self._last_packet_us // _US), shorten=True)
            else:
                self._cover_until(now)

    def flush(self) -> None:
        """Store what has begun, grown and ended; on a failure it goes on waiting."""
        while True:
            with self._lock:
                ended = list(islice(self._ended, _IN_ONE_WRITE))
                begun = [] if self._ended and len(ended) < len(self._ended) else self._unwritten()
                open_ = self._connection
            connections = [each for each in ended if isinstance(each, Connected)]
            if open_ is not None and open_ != self._stored_connection:
                connections.append(open_)
            subscriptions = [each for each in ended if isinstance(each, Subscription)]
            if not connections and not subscriptions and not begun:
                return
            if not self._stored(connections, subscriptions + begun):
                return
            self._stored_connection = open_
            with self._lock:
                for _ in ended:
                    self._ended.popleft()
                self._written.update(each.key for each in begun if self._followed.get(each.key) == each.start)
                if not self._ended:
                    return

    def _stored(self, connections: Sequence[Connected], subscriptions: Sequence[Subscription]) -> bool:
        try:
            stored = self._store(connections, subscriptions)
        except DatabaseError as error:
            if str(error) != self._refusal:
                self._refusal = str(error)
                log.warning("The coverage of the feed is not stored: %s", error)
            if error.permanent:
                with self._lock:
                    self._ended.clear()
            return False
        self._refusal = ""
        return stored

    def _begin_day(self) -> int:
        """Return the present second; where a day of India begins, begin a run with it."""
        at = self._clock()
        now = int(at)
        midnight = midnight_of(now)
        if midnight == self._midnight:
            return now
        if self._run and self._connection is not None:
            self._cover_until(min(now, self._midnight + DAY_S))
            self._ended.append(self._connection)
        for key, start in self._followed.items():
            if key not in self._written and self._run:
                self._end(Subscription(key, start, self._midnight + DAY_S, self._run))
            self._followed[key] = max(start, midnight)
        self._written.clear()
        self._run, self._midnight = max(int(at * _US), self._run + 1), midnight
        if self._connection is not None:
            self._connection = Connected(self._run, midnight, midnight)
        return now

    def _disconnect(self, now: int) -> None:
        """End the connection with its last packet, where that came within the time in which a loss is noticed."""
        last = self._last_packet_us // _US
        if now - last <= UNPROVEN_S:
            self._cover_until(last, shorten=True)
        if self._connection is not None:
            self._ended.append(self._connection)
        self._connection = None

    def _cover_until(self, until: int, *, shorten: bool = False) -> None:
        if self._connection is None:
            return
        before = self._connection.until
        # A silence is noticed within seconds: only these are taken back.
        until = max(until, before - UNPROVEN_S if shorten else before, self._connection.start)
        self._connection = self._connection._replace(until=until)

    def _unfollow(self, key: str, now: int) -> None:
        start = self._followed.pop(key)
        ended = Subscription(key, start, max(start, now), self._run)
        if key in self._written:
            self._written.discard(key)
            self._ended.append(ended)
        else:
            self._end(ended)

    def _end(self, each: Subscription) -> None:
        if has_whole_minute(Span(each.start, each.until)):
            self._ended.append(each)

    def _unwritten(self) -> list[Subscription]:
        """Return the subscriptions that last and have had a whole minute, up to the bound of one write."""
        now = int(self._clock())
        end = self._midnight + DAY_S
        waiting = (
            Subscription(key, start, end, self._run)
            for key, start in self._followed.items()
            if key not in self._written and has_whole_minute(Span(start, now))
        )
        return list(islice(waiting, _IN_ONE_WRITE))
