"""A bar of a timeframe, the marks that limit its truth, and bars joined into a longer one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Final, NamedTuple

from ltp.core.money import Price

MINUTE_S: Final = 60
# Marks of a bar, bits of `Bar.marks`.
PARTIAL: Final = 1  # the feed did not cover the bar from its start to its end
REVISED: Final = 2  # a trade arrived after the bar was closed
UNSURE: Final = (
    4  # an extreme of the day was traded in this bar or in a neighbour: its high or low may be short
)
CORRECTED: Final = 8  # the exchange took back part of the day's volume
# The high is the day's, which rose between two packets of the bar; the low alike. They are named as one.
INFERRED_HIGH: Final = 16
INFERRED_LOW: Final = 32
INFERRED: Final = INFERRED_HIGH | INFERRED_LOW
# Sources of a bar, bits of `Bar.sources`; a bar that is joined of several may have several.
LIVE: Final = 1  # built here from ticks
BROKER: Final = 2  # the broker's charts
FILE: Final = 4  # an imported file
OFFICIAL: Final = 8  # the exchange's file of the day; never of minutes
SOURCES: Final = {LIVE: "live", BROKER: "broker", FILE: "file", OFFICIAL: "official"}
MARKS: Final = {
    PARTIAL: "partial",
    REVISED: "revised",
    UNSURE: "unsure",
    CORRECTED: "corrected",
    INFERRED: "inferred",
}


class Bar(NamedTuple):
    """Trades of `[start, start + length)`. `start`: seconds since the epoch. `volume`: units of the
    instrument, 0 for an index. `oi`: the last known, None without one. `marks`: bits of MARKS. `sources`:
    bits of SOURCES.
    """

    start: int
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int
    oi: int | None = None
    marks: int = 0
    sources: int = LIVE


def mark_names(marks: int) -> list[str]:
    return [name for bit, name in MARKS.items() if marks & bit]


def source_name(sources: int) -> str:
    """Return the source of a bar, "mixed" where it is joined of several."""
    return SOURCES.get(sources, "mixed")


def joined(bars: Sequence[Bar], start: int) -> Bar:
    """Return one bar that starts at `start` of bars in their order, at least one. A mark on any marks all."""
    return Bar(
        start,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
        next((bar.oi for bar in reversed(bars) if bar.oi is not None), None),
        reduce(or_, (bar.marks for bar in bars)),
        reduce(or_, (bar.sources for bar in bars)),
    )
