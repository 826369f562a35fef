"""The bars of one instrument while its session runs: minutes that are open, and the last few that are closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ltp.core.bars.bar import MINUTE_S, PARTIAL, REVISED, Bar
from ltp.core.bars.minute import Minute
from ltp.core.money import Price
from ltp.core.ticks.tick import UNKNOWN_DAY

KEPT: Final = 5  # closed minutes that a late trade may still revise


class InstrumentBars:
    """What the packet before held, and the minutes.

    `newest`: the open minute that trades are added to, None before the first trade and after its end. `day`:
    of the last packet. `exact_below`: prices below are exact, see `core.money.snap`.

    `since`: the connection of the last packet. `covered_from`: exchange seconds; packets of the connection
    cover the time from then on. `ltp`, `ltt`, `total`, `high`, `low`, `oi`: of the newest packet, `total` the
    day's cumulative volume. `seen`: exchange second of its arrival. `floor`: cumulative volume before the
    first kept minute. `closed_until`: minutes that start before it are closed.
    """

    __slots__ = (
        "closed_until", "covered_from", "day", "exact_below", "floor", "high", "low", "ltp", "ltt", "minutes",
        "newest", "oi", "revised", "seen", "since", "total",
    )  # fmt: skip

    def __init__(self, exact_below: Price) -> None:
        self.since = self.covered_from = self.seen = self.closed_until = self.floor = 0
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
        minute.oi = self.oi

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
