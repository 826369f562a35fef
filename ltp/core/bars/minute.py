"""One minute of one instrument while its trades arrive, in any order."""

from __future__ import annotations

from ltp.core.bars.bar import INFERRED_HIGH, INFERRED_LOW, MINUTE_S, Bar
from ltp.core.money import Price

Place = tuple[int, int]  # trade time and cumulative volume of a trade: the order of trades within a minute


class Minute:
    """The trades of one minute so far.

    Open and close are those of the first and the last trade by trade time and cumulative volume, so packets
    that overtake each other change nothing. `total`: the day's cumulative volume at the end of the minute as
    far as known. `extra`: volume of this minute that `total` no longer covers. `inferred_high`, `inferred_low`:
    extremes that no packet carried, see `InstrumentBars.extremes`.
    """

    __slots__ = (
        "close",
        "end",
        "extra",
        "first",
        "high",
        "inferred_high",
        "inferred_low",
        "last",
        "low",
        "marks",
        "oi",
        "open",
        "start",
        "total",
    )

    def __init__(self, start: int, price: Price, place: Place, total: int) -> None:
        self.start, self.end, self.total = start, start + MINUTE_S, total
        self.open = self.high = self.low = self.close = price
        self.first = self.last = place
        self.oi: int | None = None
        self.inferred_high: Price | None = None
        self.inferred_low: Price | None = None
        self.marks = self.extra = 0

    def trade(self, price: Price, place: Place, total: int) -> None:
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        if place >= self.last:
            self.last, self.close = place, price
        elif place < self.first:
            self.first, self.open = place, price
        if total > self.total:
            self.total = total

    def infer(self, high: Price, low: Price) -> None:
        """Widen the bar to extremes that are proven, though no packet carried their trades."""
        if high > self.high:
            self.high = self.inferred_high = high
        if low < self.low:
            self.low = self.inferred_low = low

    def bar(self, volume: int) -> Bar:
        marks = self.marks
        if self.high == self.inferred_high:
            marks |= INFERRED_HIGH
        if self.low == self.inferred_low:
            marks |= INFERRED_LOW
        return Bar(self.start, self.open, self.high, self.low, self.close, volume, self.oi, marks)
