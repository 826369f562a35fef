"""One instrument in the book: what its last packet held, and its watches in the order in which prices meet them."""

from __future__ import annotations

from bisect import insort
from typing import Final

from ltp.core.alerts.evaluate import Truth, Value
from ltp.core.alerts.level import Level, LevelRule, level_of, level_rule
from ltp.core.alerts.watch import Watch
from ltp.core.money import MAX_PRICE, SCALE, Price
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices

_NOTHING_ABOVE: Final = MAX_PRICE * 2


class Watched:
    """A watch and what has become of it. `level`: None while it is not known; `truth`: for a rule without one, with
    the `sides` of its comparison if it is one.
    """

    __slots__ = ("armed", "back", "judged", "level", "of", "sides", "truth", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.of: LevelRule | None = None if watch.rule.tree is None else level_rule(watch.rule.tree)
        self.armed, self.judged = watch.armed, watch.last is not None
        self.level: Level | None = None
        self.back: Price = 0
        self.truth: Truth | None = None
        self.sides: tuple[Value, Value] | None = None

    def measure(self, prev_close: Price | None) -> None:
        """Find the level with this previous close."""
        if self.of is not None:
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

    `low`, `high`: while the price is between them no level is met or left. `above`, `below`: watches by the price
    that they wait for, the nearest last. `general`: watches of rules without a level. `since`: the connection of
    the last packet, 0 before the first. `seen`: when it came; `at`: when its price was traded; microseconds.
    `day_number`: of its session. `opened_on`: of the newest session with a packet in the usual phases. `top`,
    `bottom`: the day's range in the session.
    """

    __slots__ = (
        "above", "at", "below", "bottom", "day", "day_number", "general", "high", "key", "levels", "low", "ltp",
        "ltt", "opened_on", "others", "prev_close", "saved_at", "seen", "since", "top", "volume",
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

    def find_band(self) -> None:
        self.high = -self.above[-1][0] if self.above else _NOTHING_ABOVE
        self.low = self.below[-1][0] if self.below else 0
        if self.general or self.others:
            self.low, self.high = _NOTHING_ABOVE, 0  # every price is judged

    def baseline(self, price: Price) -> None:
        """Compare the watches that were never judged with a price: what is met already does not fire."""
        for watched in self.levels:
            watched.baseline(price)
        self.sort()

    def live(self, name: str) -> float | None:
        """Return a live value in rupees, per cent or units, None if the last packet has none."""
        if name == "day_volume":
            return self.volume
        if name == "change_pct":
            close = self.prev_close
            return None if not close or self.ltp is None else (self.ltp - close) / close * 100
        price = self.ltp if name == "ltp" else getattr(self.day, name.removeprefix("day_"))
        return None if price is None else price / SCALE
