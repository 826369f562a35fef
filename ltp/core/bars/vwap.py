"""The average price of each session so far, weighted by volume."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from ltp.core.bars.bar import Bar


def vwap(bars: Iterable[Bar], session: Callable[[Bar], object]) -> list[float | None]:
    """Return for each bar the average of its session up to its end; None while the session has no volume.

    Each bar counts with (high + low + close) / 3.

    Args:
        bars: oldest first.
        session: returns the session of a bar; each one starts anew.
    """
    found: list[float | None] = []
    for _, group in groupby(bars, key=session):
        turnover = volume = 0
        for bar in group:
            turnover += (bar.high + bar.low + bar.close) * bar.volume
            volume += bar.volume
            found.append(turnover / (3 * volume) if volume else None)
    return found
