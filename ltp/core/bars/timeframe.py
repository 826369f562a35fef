"""Timeframes of intraday bars: their names, and one-minute bars rolled up into them.

Bars are aligned to the start of their trading window (09:15 for shares), not to the hour, so the last one of
a window may be short. No bar spans two windows: an auction and the continuous session never share one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ltp.core.bars import columns
from ltp.core.bars.bar import Bar
from ltp.errors import InputError

MINUTES: Final = (1, 3, 5, 10, 15, 25, 30, 60, 75, 125)
NAMES: Final = tuple(f"{minutes}m" for minutes in MINUTES)


def minutes_of(name: str) -> int:
    """Return the minutes of a timeframe such as "5m".

    Raises:
        InputError: there is no such timeframe.
    """
    if name not in NAMES:
        raise InputError("timeframe", name, f"it is one of {', '.join(NAMES)}")
    return int(name[:-1])


def rolled_up(bars: Iterable[Bar], minutes: int, windows: Iterable[tuple[int, int]]) -> list[Bar]:
    """Return bars of `minutes` made of one-minute bars, or of others of which each is in one of them.

    Volumes are summed, the last open interest counts, and a mark on any part marks the whole.

    Args:
        bars: by start, none twice. Those outside all windows are left out.
        windows: trading windows in order, not overlapping: first second, and the second after the last.
    """
    return columns.rolled_up(columns.of_bars(bars), minutes, windows).bars()
