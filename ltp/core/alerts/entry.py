"""One instrument in the book: what its last packet held, and its watches in the order in which prices meet them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from typing import Final

from ltp.core.alerts.evaluate import Truth, Value, live_value
from ltp.core.alerts.level import Level, LevelRule, level_of, level_rule
from ltp.core.alerts.thresholds import Threshold
from ltp.core.alerts.watch import Watch
from ltp.core.money import MAX_PRICE, SCALE, Price
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices

_NOTHING_ABOVE: Final = MAX_PRICE * 2
_NO_END: Final = float("inf")


class Watched:
    """A watch and what has become of it. `level`: None while it is not known; `truth`: for a rule without one, with
    the `sides` of its comparison if it is one, and `thresholds`: None where each packet may change its truth.
    """

    __slots__ = ("armed", "back", "judged", "level", "of", "sides", "thresholds", "truth", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.of: LevelRule | None = None if watch.rule.tree is None else level_rule(watch.rule.tree)
        self.armed, self.judged = watch.armed, watch.last is not None
        self.level: Level | None = None
        self.back: Price = 0
        self.truth: Truth | None = None
        self.sides: tuple[Value, Value] | None = None
        self.thresholds: list[Threshold] | None = None

    def measure(self, prev_close: Price | None) -> None:
        """Find the level with this previous close; without a part in it the level stays what it is."""
        if self.of is not None and (self.level is None or self.of.is_change):
            self.level = level_of(self.of, self.watch.values, prev_close)
            self.back = 0 if self.level is None else self.level.back(self.watch.hysteresis)

    def baseline(self, price: Price) -> None:
        if not self.judged and self.level is not None:
            self.armed, self.judged = not self.level.is_met(price), True

    @property
    def waits_above(self) -> bool:
        """Does it wait for a price above: to fire, or to count as not met again?"""
        return self.level is not None and self.level.up is self.armed

    @property
    def awaited(self) -> Price:
        """The price that it waits for."""
        return self.level.bound if self.armed and self.level else self.back


class Entry:
    """Changed by the feed's thread, under the book's lock.

    `low`, `high`, `least`: while the price is between the first two and the volume is below the third, no rule is
    met or left. `above`, `below`: watches by the price
    that they wait for, the nearest last. `general`: watches of rules without a level. `since`: the connection of
    the last packet, 0 before the first. `seen`: when it came; `at`: when its price was traded; microseconds.
    `day_number`: of its session. `opened_on`: of the newest session with a packet in the usual phases. `top`,
    `bottom`: the day's range in the session.
    """

    __slots__ = (
        "above", "at", "below", "bottom", "day", "day_number", "general", "high", "key", "least", "levels", "low", "ltp",
        "ltt", "marks", "opened_on", "others", "prev_close", "saved_at", "seen", "since", "top", "volume", "volume_marks",
    )  # fmt: skip

    def __init__(self, key: str) -> None:
        self.key = key
        self.levels: list[Watched] = []
        self.general: list[Watched] = []
        self.others: list[Watched] = []  # general watches of other instruments that name this one
        self.above: list[tuple[Price, int, Watched]] = []  # by descending price
        self.below: list[tuple[Price, int, Watched]] = []
        self.low: Price = 0
        self.high: Price = _NOTHING_ABOVE
        self.least: float = _NO_END
        self.marks: list[float] | None = []  # thresholds of general rules, in order; None: each packet counts
        self.volume_marks: list[float] = []
        self.ltp: Price | None = None
        self.ltt: int | None = None
        self.volume: int | None = None
        self.day: DayPrices = UNKNOWN_DAY
        self.prev_close: Price | None = None
        self.top: Price | None = None
        self.bottom: Price | None = None
        self.since = self.seen = self.at = self.day_number = self.opened_on = self.saved_at = 0

    def add(self, watched: Watched) -> None:
        """Add a watch with a level. One that was never judged is compared with the last price."""
        self.levels.append(watched)
        watched.measure(self.prev_close)
        if self.at and self.ltp is not None:
            watched.baseline(self.ltp)
        self.place(watched)
        self.find_band()

    def remove(self, watched: Watched) -> None:
        """Remove a watch of any kind, if it is here."""
        for group in (self.levels, self.general, self.others):
            if watched in group:
                group.remove(watched)
        self.above = [item for item in self.above if item[2] is not watched]
        self.below = [item for item in self.below if item[2] is not watched]
        self.find_marks()
        self.find_band()

    @property
    def is_empty(self) -> bool:
        return not (self.levels or self.general or self.others)

    def clear(self) -> None:
        """Forget the last packet: the key means another instrument now."""
        self.ltp = self.ltt = self.volume = self.prev_close = self.top = self.bottom = None
        self.since = self.seen = self.at = self.day_number = self.opened_on = self.saved_at = 0
        self.day = UNKNOWN_DAY
        for watched in (*self.levels, *self.general):
            watched.armed, watched.judged = True, False
        self.sort()

    def sort(self) -> None:
        """Order the watches anew: they or the previous close changed."""
        self.above, self.below = [], []
        for watched in self.levels:
            watched.measure(self.prev_close)
            self.place(watched)
        self.find_marks()
        self.find_band()

    def place(self, watched: Watched) -> None:
        if watched.level is None:
            return
        price = watched.awaited
        # Of equal prices the first alert is taken first; a negative price puts the lowest last.
        if watched.waits_above:
            insort(self.above, (-price, -watched.watch.alert_id, watched))
        else:
            insort(self.below, (price, -watched.watch.alert_id, watched))

    def find_marks(self) -> None:
        """Find the thresholds of the general rules: the rules, the day's range or the previous close changed."""
        each = [watched.thresholds for watched in self.general]
        self.marks, self.volume_marks = None, []
        if self.others or None in each:
            return
        named = [(one.name, one.value()) for group in each if group for one in group]
        known = [(name, value) for name, value in named if value is not None]
        close = self.prev_close or 0
        self.marks = sorted(
            close * (1 + value / 100) if name == "change_pct" else value * SCALE
            for name, value in known
            if name != "day_volume"
        )
        self.volume_marks = sorted(value for name, value in known if name == "day_volume")

    def find_band(self) -> None:
        """Find how far price and volume may go without a rule that is met or left."""
        self.high = -self.above[-1][0] if self.above else _NOTHING_ABOVE
        self.low = self.below[-1][0] if self.below else 0
        self.least = _NO_END
        if self.marks is None:
            self.low, self.high = _NOTHING_ABOVE, 0
        elif self.ltp is not None:
            self._narrow(self.marks, self.ltp)

    def _narrow(self, marks: list[float], ltp: Price) -> None:
        below, above = bisect_right(marks, ltp), bisect_left(marks, ltp)
        if below:
            self.low = max(self.low, math.floor(marks[below - 1]))
        if above < len(marks):
            self.high = min(self.high, math.ceil(marks[above]))
        next_volume = bisect_left(self.volume_marks, self.volume or 0)
        if next_volume < len(self.volume_marks):
            self.least = self.volume_marks[next_volume]

    def baseline(self, price: Price) -> None:
        """Compare the watches that were never judged with a price: what is met already does not fire."""
        for watched in self.levels:
            watched.baseline(price)
        self.sort()

    def live(self, name: str) -> float | None:
        """Return a live value in rupees, per cent or units, None if the last packet has none."""
        return live_value(name, self.ltp, self.day, self.prev_close, self.volume)
