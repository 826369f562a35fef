"""A level in bars: what happened while no packet could show it."""

from __future__ import annotations

from collections.abc import Iterable

from ltp.core.alerts.level import Level
from ltp.core.bars.bar import Bar
from ltp.core.money import Price


def first_touch(level: Level, bars: Iterable[Bar]) -> tuple[int, Price] | None:
    """Return the start of the first bar that reached a level, and its farthest price; None for none.

    Args:
        bars: oldest first.
    """
    for bar in bars:
        price = bar.high if level.up else bar.low
        if level.is_met(price):
            return bar.start, price
    return None
