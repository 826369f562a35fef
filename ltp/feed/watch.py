"""The signs of life of one connection, and an alarm for a changed clock of the broker's trade times.

Pure: instants in, verdicts out. Pings prove the transport; only packets prove the feed, and only inside
trading hours. A connection that pings and sends no price has cost other products whole days.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence
from typing import Final

from ltp.core.ticks.tick import Tick, TickFields
from ltp.core.trading_day import IST_OFFSET_S

FEED_SILENT_AFTER_S: Final = 10.0
RECONNECT_AFTER_S: Final = 25.0
SILENT_RECONNECT_EVERY_S: Final = 60.0  # a mute broker is not helped by a connection every 25 s
DEAD_AFTER_S: Final = 40.0  # it pings every 10 s
PING_AFTER_S: Final = 15.0  # without a ping of ours, a quiet broker that sends none would be taken for dead
HALF_FRAME_S: Final = 10.0

_LTT_SAMPLES: Final = 60
_LTT_TOLERANCE_S: Final = 120


class Watch:
    """One connection's signs of life. Instants are monotonic seconds; `opened`: when it was subscribed."""

    def __init__(self, opened: float) -> None:
        self._opened = opened
        self._byte_at = self._quiet_from = opened
        self._pinged = False
        self._half_from: float | None = None
        self._progress = (0, 0)
        self.first_packet: float | None = None
        self.last_packet: float | None = None

    def packet(self, now: float) -> None:
        """Note that valid packets came."""
        if self.first_packet is None:
            self.first_packet = now
        self.last_packet = self._quiet_from = now

    def progress(self, now: float, *, bytes_read: int, frames_read: int, half_read: bool) -> None:
        """Note how far the client has read: totals that only rise, and whether a frame is half read."""
        if bytes_read != self._progress[0]:
            self._byte_at, self._pinged = now, False
        if not half_read or frames_read != self._progress[1]:
            self._half_from = now if half_read else None
        elif self._half_from is None:
            self._half_from = now
        self._progress = bytes_read, frames_read

    def silent(self, now: float, *, in_session: bool) -> bool:
        """Return whether to show "silent"; out of session only before the first packet of the connection."""
        if not in_session:
            self._quiet_from = max(self._quiet_from, now)
        since = self._opened if self.last_packet is None else self._quiet_from
        return now - since >= FEED_SILENT_AFTER_S

    def verdict(self, now: float, last_silent_reconnect: float) -> tuple[str, str]:
        """Return kind and sentence when the connection must be given up, else two empty texts. Call `silent`
        first.

        Args:
            now: an instant up to which all bytes are read.
            last_silent_reconnect: when a connection was last given up for silence, minus infinity for never.
        """
        if self._half_from is not None and now - self._half_from >= HALF_FRAME_S:
            return "half_frame", f"The broker stopped in the middle of a message for {HALF_FRAME_S:.0f} s"
        if now - self._byte_at >= DEAD_AFTER_S:
            return "dead", f"Not a byte came for {DEAD_AFTER_S:.0f} s"
        quiet_s = now - self._quiet_from
        if quiet_s >= RECONNECT_AFTER_S and now - last_silent_reconnect >= SILENT_RECONNECT_EVERY_S:
            return "silent", f"The market is open and no price came for {quiet_s:.0f} s"
        return "", ""

    def ping_due(self, now: float) -> bool:
        """Return True once in each silence of the transport, when it is time to ping the broker."""
        if self._pinged or now - self._byte_at < PING_AFTER_S:
            return False
        self._pinged = True
        return True


class TradeTimeAlarm:
    """Compares trade times with this host's clock, so that a change of the broker's odd epoch is noticed."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_LTT_SAMPLES)
        self._sampled = float("-inf")
        self._raised = False

    def sample(self, ticks: Sequence[TickFields], now: float) -> str:
        """Take at most one tick a second. Return one sentence once trade times are off by India's offset.

        Only once: afterwards, and while they are right, "".
        """
        if self._raised or now - self._sampled < 1.0 or not ticks:
            return ""
        tick = Tick._make(ticks[-1])
        if tick.ltt is None:
            return ""
        self._sampled = now
        self._gaps.append(tick.ltt - tick.received_at / 1e6)
        if len(self._gaps) < _LTT_SAMPLES:
            return ""
        gap_s = statistics.median(self._gaps)
        if abs(abs(gap_s) - IST_OFFSET_S) > _LTT_TOLERANCE_S:
            return ""
        self._raised = True
        return (
            f"Trade times are off by {gap_s / 3600:+.1f} h: "
            "the broker changed the clock of its feed, or this host's is wrong"
        )
