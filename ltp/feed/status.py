"""The state of the feed at any moment: one value, replaced as a whole, that every thread may read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, NamedTuple

from ltp.core.ticks.lag import Lag, settled
from ltp.core.ticks.tick import Feed
from ltp.dhan.codes import Mode

STATUS_EVERY_S: Final = 0.5

_IN_TIME: Final[Mapping[str, Lag]] = {}

_log = logging.getLogger(__name__)


class FeedStatus(NamedTuple):
    """One consistent look at the feed.

    `since_us`: when the present connection was subscribed, microseconds since the epoch, 0 without one.
    `wanted`, `sent`: numbers of instruments. `priced`: keys the broker sent a price of on this connection.
    `never_ticked`: keys subscribed twice without a packet. `silent`: segments that are open and have fallen
    silent. `lags`: how late the prices of each segment come. `failures`: attempts since the start that
    brought no connection. `last_packet_at`: seconds since the epoch, None before the first ever;
    `last_packet_s`: the same as a monotonic instant. `stopped_for_good`: no connection is tried before the
    credentials change.
    """

    feed: Feed = "off"
    since_us: int = 0
    wanted: int = 0
    sent: int = 0
    priced: frozenset[str] = frozenset()
    never_ticked: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    lags: Mapping[str, Lag] = _IN_TIME
    reconnects: int = 0
    failures: int = 0
    last_error: str = ""
    last_packet_at: float | None = None
    last_packet_s: float | None = None
    stopped_for_good: bool = False

    @property
    def delay_s(self) -> dict[str, float]:
        """By how many seconds the prices of each segment come late, 0 for those in time; see `settled`."""
        return settled(self.lags)

    def timed_where_open(self, phase: Mapping[str, str]) -> FeedStatus:
        """Return the status without the lags of closed segments: packets after hours hold earlier trades.

        Args:
            phase: by segment.
        """
        return self._replace(
            lags={name: lag for name, lag in self.lags.items() if phase.get(name) != "closed"}
        )


class Subscribed(NamedTuple):
    """Of one connection: the keys whose subscription was sent, each with its mode, and those with a packet since."""

    modes: Mapping[str, Mode]
    seen: frozenset[str]


@dataclass
class FeedRecord:
    """The part of the status that outlives connections. For the feed's thread; fields as in FeedStatus."""

    last_error: str = ""
    reconnects: int = 0
    failures: int = 0
    last_packet_at: float | None = None
    last_packet_s: float | None = None

    def status(self) -> FeedStatus:
        return FeedStatus(**asdict(self))


class StatusBoard:
    """Holds the newest status. One thread shows it and runs `on_change`, any thread reads it."""

    def __init__(self, on_change: Callable[[], None], monotonic: Callable[[], float]) -> None:
        self._on_change, self._monotonic = on_change, monotonic
        self._lock = threading.Lock()
        self._status = FeedStatus()
        self._shown = float("-inf")

    def read(self) -> FeedStatus:
        with self._lock:
            return self._status

    def show(self, feed: Feed, stopped: bool, last_error: str, build: Callable[[], FeedStatus]) -> None:
        """Replace the status when one of these three changed or it is half a second old.

        Not more often: building one copies sets of keys.
        """
        now, old = self._monotonic(), self._status
        changed = (feed, stopped, last_error) != (old.feed, old.stopped_for_good, old.last_error)
        if not changed and now - self._shown < STATUS_EVERY_S:
            return
        self._shown = now
        status = build()._replace(feed=feed, stopped_for_good=stopped, last_error=last_error)
        with self._lock:
            self._status = status
        if changed:
            if feed != old.feed:
                _log.info("Feed is %s", feed)
            self._on_change()
