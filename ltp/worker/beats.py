"""The beat: once a second, and on each change, the state of feed and market goes out beside the prices.

Keeps that state, which is also in the header of every batch, and knows when the heartbeat key and the
30-second keys have to be renewed. Has no thread, no lock and no Redis: `ingest` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp.core.money import Price
from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.tick import Tick
from ltp.feed.status import FeedStatus
from ltp.store.batch_publisher import BatchHeader, Beat
from ltp.store.encode import Coverage
from ltp.store.keys import HEARTBEAT_EVERY_S, LTP_RENEW_S
from ltp.worker.market_clock import MarketClock
from ltp.worker.status_report import StatusReport
from ltp.worker.wanted import Wanted

BEAT_S: Final = 1.0


class Beats:
    """Every `now` is monotonic seconds.

    `status`, `phase`: the feed, and the market's phases by segment, at the last look. `requested`: a beat is
    due at once. `received`: ticks since the start. `judge`, `configure`, `coverage` and `beat` need the lock
    that guards the conflator and `wanted`.

    Args:
        feed_status: reads the feed's own status.
        tick_size: the price grid of a key, 0 when unknown.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        conflator: Conflator,
        wanted: Wanted,
        *,
        market: MarketClock,
        report: StatusReport,
        feed_status: Callable[[], FeedStatus],
        tick_size: Callable[[str], Price],
        clock: Callable[[], float],
    ) -> None:
        self._conflator, self._wanted = conflator, wanted
        self._market, self._report, self._feed_status = market, report, feed_status
        self._tick_size, self._clock = tick_size, clock
        self.status = FeedStatus()
        self.phase: dict[str, str] = {}
        self.requested = False
        self.received = 0
        self._next = self._next_heartbeat = self._next_renewal = float("-inf")

    def due_in_s(self, now: float) -> float:
        return self._next - now

    def look(self, now: float) -> None:
        """Read the state of feed and market. Where it changed, heartbeat and 30-second keys go out with the
        next beat.
        """
        before, phase = self.status, self._market.phases()
        self.status = self._feed_status().timed_where_open(phase)
        if (before.feed, before.since_us, self.phase) != (self.status.feed, self.status.since_us, phase):
            self._next_heartbeat = self._next_renewal = now
        self.phase = phase

    def judge(self, now: float) -> None:
        """Apply the state that was read: which prices may be shown as live, and how ticks are merged."""
        self.requested = False
        if self._wanted.judge(self.status):
            self._next_renewal = now
        self.configure()
        self._conflator.connected(self.status.since_us)

    def configure(self) -> None:
        self._conflator.configure(
            tick_size=self._tick_size,
            prev_close_from=self._market.prev_close_from(),
            sessions=self._market.sessions(),
            delay_s=self.status.delay_s,
        )

    def coverage(self) -> Coverage:
        return self._wanted.coverage(self.status)

    def header(self) -> BatchHeader:
        status, now_us = self.status, int(self._clock() * 1e6)
        return BatchHeader(now_us, status.feed, status.since_us, self.phase, *self._wanted.header_fields)

    def beat(self, now: float, *, begins_epoch: bool) -> Beat:
        """Return the beat that goes out beside the ticks now.

        Args:
            begins_epoch: it opens an epoch, in which everything is renewed.
        """
        self._next = now + BEAT_S
        if begins_epoch:
            self._report.begin(self._clock())
        heartbeat_at = ""
        if begins_epoch or now >= self._next_heartbeat:
            self._next_heartbeat = now + HEARTBEAT_EVERY_S
            heartbeat_at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        covered: Sequence[Tick] = ()
        if begins_epoch or now >= self._next_renewal:
            self._next_renewal = now + LTP_RENEW_S
            covered = list(filter(self.coverage().covers, self._conflator.all()))
        return Beat(self._status_fields(now), heartbeat_at, covered)

    def _status_fields(self, now: float) -> dict[str, str]:
        mistimed, odd = self._wanted.among(self._conflator.mistimed()), dict(self._conflator.counters)
        return self._report.status(
            self.status, self.phase, self.received, len(self._wanted.keys), now, mistimed, odd
        )
