"""Indicators that are drawn over candles, in plain Python for one chart.

Screens compute the same formulas for thousands of shares on arrays (`ltp/screen/indicators.py`); tests compare
the numbers of both. Each function returns one value a bar, None while the formula lacks inputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Values = list[float | None]


class Bands(NamedTuple):
    upper: Values
    middle: Values
    lower: Values


class Supertrend(NamedTuple):
    """`below`: the line where it is below the price (up trend), `above`: where it is above; else None.

    A bar has at most one of them.
    """

    below: Values
    above: Values


def bollinger(closes: Sequence[int], bars: int, deviations: float) -> Bands:
    """Return the plain average of `bars` closes, and bands at multiples of their standard deviation (over n).

    Closes are whole numbers, such as 1/10,000 rupee: the running sums are exact then.
    """
    found = Bands([], [], [])
    total = squares = 0
    for at, close in enumerate(closes):
        total += close
        squares += close * close
        if at >= bars:
            dropped = closes[at - bars]
            total -= dropped
            squares -= dropped * dropped
        if at < bars - 1:
            for values in found:
                values.append(None)
            continue
        middle, reach = total / bars, deviations * math.sqrt(bars * squares - total * total) / bars
        found.upper.append(middle + reach)
        found.middle.append(middle)
        found.lower.append(middle - reach)
    return found


def supertrend(
    highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], bars: int, atrs: float
) -> Supertrend:
    """Return the trailing band at (high + low) / 2 ± `atrs` average true ranges of `bars` bars (Wilder's).

    The lower band only rises and the upper one only falls until a close crosses it. The first value is on the
    bar after the first `bars` and begins above the price.
    """
    count = len(closes)
    found = Supertrend([None] * count, [None] * count)
    lower, upper, rising = -math.inf, math.inf, False
    for at, reach in enumerate(_average_ranges(highs, lows, closes, bars), bars):
        middle, before, close = (highs[at] + lows[at]) / 2, closes[at - 1], closes[at]
        low, high = middle - atrs * reach, middle + atrs * reach
        if low > lower or before < lower:
            lower = low
        if high < upper or before > upper:
            upper = high
        if at > bars:
            rising = close >= lower if rising else close > upper
        if rising:
            found.below[at] = lower
        else:
            found.above[at] = upper
    return found


def _average_ranges(
    highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], bars: int
) -> list[float]:
    """Return the average true range from bar number `bars` on; the first bar has no close before it."""
    ranges = [
        max(high, before) - min(low, before)
        for high, low, before in zip(highs[1:], lows[1:], closes, strict=False)
    ]
    if len(ranges) < bars:
        return []
    found = [sum(ranges[:bars]) / bars]
    for each in ranges[bars:]:
        found.append((found[-1] * (bars - 1) + each) / bars)
    return found
