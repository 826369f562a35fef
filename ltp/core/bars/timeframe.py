"""Timeframes of intraday bars: their names, and one-minute bars rolled up into them.

Bars are aligned to the start of their trading window (09:15 for shares), not to the hour, so the last one of
a window may be short. No bar spans two windows: an auction and the continuous session never share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from ltp.core.bars.bar import MINUTE_S, Bar, joined
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


def rolled_up(bars: Iterable[Bar], minutes: int, windows: Sequence[tuple[int, int]]) -> Iterator[Bar]:
    """Yield bars of `minutes` made of one-minute bars.

    Args:
        bars: one-minute bars by start, none twice. Those outside all windows are left out.
        windows: trading windows in order, not overlapping: first second, and the second after the last.
    """
    length = minutes * MINUTE_S
    starts = _starts(bars, length, windows)
    for start, group in groupby(starts, key=lambda placed: placed[0]):
        yield joined([bar for _, bar in group], start)


def _starts(
    bars: Iterable[Bar], length: int, windows: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, Bar]]:
    """Yield each bar with the start of the longer bar that it belongs to."""
    following = iter(windows)
    first, end = next(following, (0, 0))
    for bar in bars:
        while bar.start >= end:
            window = next(following, None)
            if window is None:
                return
            first, end = window
        if bar.start >= first:
            yield first + (bar.start - first) // length * length, bar
