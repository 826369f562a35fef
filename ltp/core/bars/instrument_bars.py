"""The bars of one instrument while its session runs: minutes that are open, and the last few that are closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ltp.core.bars.bar import CORRECTED, MINUTE_S, PARTIAL, REVISED, UNSURE, Bar
from ltp.core.bars.minute import Minute
from ltp.core.money import Price
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices
from ltp.core.trading_day import days_since_1970

_FARTHEST: Final = 2  # times the traded price
KEPT: Final = 5  # closed minutes that a late trade may still revise


class InstrumentBars:
    """What the packet before held, and the minutes.

    `newest`: the open minute that trades are added to, None before the first trade and after its end. `day`:
    of the last packet. `exact_below`: prices below are exact, see `core.money.snap`.

    `since`: the connection of the last packet. `covered_from`: exchange seconds; packets of the connection
    cover the time from then on. `ltt_since`: exchange second
    since which the trade time is the same. `ltp`, `ltt`, `total`, `high`, `low`, `oi`: of the newest packet, `total` the
    day's cumulative volume. `seen`: exchange second of its arrival. `floor`: cumulative volume before the
    first kept minute. `closed_until`: minutes that start before it are closed.
    """

    __slots__ = (
        "closed_until", "covered_from", "day", "exact_below", "floor", "high", "low", "ltp", "ltt", "ltt_since", "minutes",
        "newest", "oi", "revised", "seen", "since", "total",
    )  # fmt: skip

    def __init__(self, exact_below: Price) -> None:
        self.since = self.covered_from = self.seen = self.ltt_since = self.closed_until = self.floor = 0
        self.ltp: Price | None = None
        self.ltt: int | None = None
        self.total: int | None = None
        self.high: Price | None = None
        self.low: Price | None = None
        self.oi: int | None = None
        self.day, self.exact_below = UNKNOWN_DAY, exact_below
        self.newest: Minute | None = None
        self.minutes: dict[int, Minute] = {}
        self.revised: set[int] = set()

    def clear(self) -> None:
        """Forget all minutes."""
        self.minutes.clear()
        self.revised.clear()
        self.closed_until, self.newest = 0, None

    def set_oi(self, oi: int, at: int) -> None:
        """Take open interest that was received at an exchange second."""
        self.oi = oi
        if self.newest is not None and at < self.newest.end:
            self.newest.oi = oi

    def rebase(self, total: int) -> None:
        """Count volume from `total` on: after a gap, a correction or a new day the old totals mean nothing."""
        for minute, volume in [(minute, self._volume(minute)) for minute in self.minutes.values()]:
            minute.extra, minute.total = volume, total
        self.floor = total

    def trade(self, start: int, at: int, price: Price, total: int, marks: int = 0) -> bool:
        """Add a trade to the minute that starts at `start`.

        Returns:
            False where the minute is closed and no longer kept.
        """
        if start >= self.closed_until:
            self._add(start, at, price, total, marks)
            if self.newest is None or start > self.newest.start:
                self.newest = self.minutes[start]
            return True
        if start < self.closed_until - KEPT * MINUTE_S:
            return False
        # Volume that counted in a later minute may move with it.
        before = {each: self.bar(each) for each in self.minutes}
        self._add(start, at, price, total, marks)
        for each in self.minutes:
            if each < self.closed_until and self.bar(each) != before.get(each):
                self.mark(each, REVISED)
        return True

    def _add(self, start: int, at: int, price: Price, total: int, marks: int) -> None:
        minute = self.minutes.get(start)
        if minute is None:
            minute = self.minutes[start] = Minute(start, price, (at, total), total)
            minute.marks = PARTIAL if self.covered_from > start else 0
        else:
            minute.trade(price, (at, total), total)
        minute.marks |= marks
        if start >= self.closed_until:
            minute.oi = self.oi

    def restart(self, volume: int, ltt: int | None, arrived: int) -> int | None:
        """Start a new count of the volume where a smaller one is that of a new day or a correction.

        Returns:
            Marks of the bar; None for a packet that was overtaken (its trade time is older), and for a volume
                of 0 in the middle of a day.
        """
        later = ltt is not None and (self.ltt is None or ltt > self.ltt)
        cleared = not volume and days_since_1970(arrived) != days_since_1970(self.ltt or 0)
        if not cleared and (not volume or not later):
            return None
        if cleared or days_since_1970(ltt or 0) != days_since_1970(self.ltt or 0):
            self.rebase(0)
            self.high = self.low = None
            return 0
        self.rebase(volume)
        return CORRECTED

    def extremes(
        self, ltp: Price, day: DayPrices, arrived: int, start: int, snap: Callable[[Price], Price]
    ) -> None:
        """Use a day high or low that moved since the packet before: that trade lies between the two packets.

        Where both came in one minute, the minute has it. Otherwise either minute may have it, and both are
        marked; and so where it is too far from the trade to be believed.
        """
        high = day.high if _beyond(day.high, self.high) and day.high != ltp else None
        low = day.low if _beyond(self.low, day.low) and day.low != ltp else None
        if high is None and low is None:
            return
        before = self.seen - self.seen % MINUTE_S
        believed = (high or ltp) <= ltp * _FARTHEST and (low or ltp) * _FARTHEST >= ltp
        if believed and before == start == arrived - arrived % MINUTE_S:
            minute = self.minutes[start]
            minute.infer(snap(high or minute.high), snap(low or minute.low))
        else:
            self.mark(before, UNSURE)
            self.mark(start, UNSURE)

    def mark(self, start: int, marks: int) -> None:
        """Mark the bar of a minute where it has one."""
        minute = self.minutes.get(start)
        if minute is not None:
            minute.marks |= marks
            if start < self.closed_until:
                self.revised.add(start)

    def close_until(self, over: int) -> Iterator[Bar]:
        """Yield the bars of minutes that end at `over` (exchange seconds) or before, and of revised ones."""
        started = sorted(self.minutes)
        for start in started:
            if (start >= self.closed_until and start + MINUTE_S <= over) or start in self.revised:
                yield self.bar(start)
        self.revised.clear()
        self.closed_until = max(self.closed_until, over // MINUTE_S * MINUTE_S)
        if self.newest is not None and self.newest.start < self.closed_until:
            self.newest = None
        for start in started[:-KEPT]:
            if start < self.closed_until:
                self.floor = max(self.floor, self.minutes.pop(start).total)

    def open_minutes(self) -> bool:
        return any(start >= self.closed_until for start in self.minutes)

    def bar(self, start: int) -> Bar:
        minute = self.minutes[start]
        return minute.bar(self._volume(minute))

    def _volume(self, minute: Minute) -> int:
        earlier = [each.total for each in self.minutes.values() if each.start < minute.start]
        return max(0, minute.total - max(earlier, default=self.floor)) + minute.extra


def _beyond(one: Price | None, other: Price | None) -> bool:
    return one is not None and other is not None and one > other
