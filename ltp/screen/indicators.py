"""Indicators: functions from arrays to arrays of the same length, with NaN during the warm-up.

TA-Lib computes most of them, with its unstable period at 0: the first value comes as soon as the formula has
all its inputs (EMA n: the n-th candle, started with the plain average of n; RSI, ATR and DI 14: the 15th; ADX
14: the 28th; MACD: the 34th) and not before; a shorter input gives only NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import talib
from numpy.typing import NDArray

from ltp.screen.history import Floats

SUPERTREND_PERIOD: Final = 10
SUPERTREND_ATRS: Final = 3.0
MAX_INDEX_GAP_D: Final = 7  # an index value older than a week is no comparison


class Supertrend(NamedTuple):
    """`line`: the trailing band. `side`: 1 while it is below the price, −1 above, NaN in the warm-up."""

    line: Floats
    side: Floats


class Macd(NamedTuple):
    line: Floats
    signal: Floats
    hist: Floats


class Bands(NamedTuple):
    upper: Floats
    middle: Floats
    lower: Floats


def ema(values: Floats, period: int) -> Floats:
    """Return the exponential average: factor 2 / (period + 1), started with the plain average of `period`."""
    return talib.EMA(values, period)


def sma(values: Floats, period: int) -> Floats:
    return talib.SMA(values, period)


def highest(values: Floats, period: int) -> Floats:
    return talib.MAX(values, period)


def lowest(values: Floats, period: int) -> Floats:
    return talib.MIN(values, period)


def rsi(close: Floats, period: int = 14) -> Floats:
    """Return Wilder's RSI. NaN also before the first move: without gains and losses there is no momentum."""
    if close.size <= period:
        return _nan(close)
    found: Floats = talib.RSI(close, period)
    if close[0] == close[period]:  # else the price has moved before the first value
        moved = close != close[0]
        found[: int(moved.argmax()) if moved.any() else close.size] = math.nan
    return found


def atr(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    return talib.ATR(high, low, close, period)


def adx(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    return talib.ADX(high, low, close, period)


def plus_di(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    return talib.PLUS_DI(high, low, close, period)


def minus_di(high: Floats, low: Floats, close: Floats, period: int = 14) -> Floats:
    return talib.MINUS_DI(high, low, close, period)


def macd(close: Floats, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    return Macd(*talib.MACD(close, fast, slow, signal))


def bollinger(close: Floats, period: int = 20, deviations: float = 2.0) -> Bands:
    """Return bands around the plain average at multiples of the population's standard deviation (over n)."""
    return Bands(*talib.BBANDS(close, period, deviations, deviations))


def supertrend(high: Floats, low: Floats, close: Floats) -> Supertrend:
    """Return the Supertrend of 10 candles and 3 ATRs, as charting sites draw it.

    The bands are (high + low) / 2 ± 3 ATR; the lower one only rises and the upper one only falls until the
    close crosses it. The first value is on the 11th candle and begins on the down side.
    """
    found = Supertrend(_nan(close), _nan(close))
    start = SUPERTREND_PERIOD
    if close.size <= start:
        return found
    middle, reach = (high + low) / 2, SUPERTREND_ATRS * atr(high, low, close, start)
    lines, sides = _trail(
        (middle - reach)[start:].tolist(), (middle + reach)[start:].tolist(), close[start:].tolist()
    )
    found.line[start:], found.side[start:] = lines, sides
    return found


def _trail(
    lows: Sequence[float], highs: Sequence[float], closes: Sequence[float]
) -> tuple[list[float], list[float]]:
    # A loop, because each band depends on the one before. Over floats, which are faster than array elements.
    lower, upper, before, up = lows[0], highs[0], closes[0], False
    lines, sides = [upper], [-1.0]
    for low, high, close in zip(lows[1:], highs[1:], closes[1:], strict=True):
        if low > lower or before < lower:
            lower = low
        if high < upper or before > upper:
            upper = high
        up = close >= lower if up else close > upper
        lines.append(lower if up else upper)
        sides.append(1.0 if up else -1.0)
        before = close
    return lines, sides


def at_days(days: NDArray[np.int32], index_days: NDArray[np.int32], index_close: Floats) -> Floats:
    """Return the index's last close on or before each day; NaN if there is none within the week before."""
    found = np.full(days.size, math.nan)
    if index_days.size:
        at = np.searchsorted(index_days, days, side="right") - 1
        known = (at >= 0) & (days - index_days[at] <= MAX_INDEX_GAP_D)
        found[known] = index_close[at[known]]
    return found


def trend(close: Floats, *averages: Floats) -> Floats:
    """Return 1 for an up trend, −1 for a down trend, else 0.

    Up: the close is above the second average and each average above the next. Down: all reversed.

    Args:
        averages: at least two, the quickest first. The close is compared with the second one, because a dip
            below the quickest is a pullback and not the end of a trend.
    """
    up, down = close > averages[1], close < averages[1]
    for quick, slow in pairwise(averages):
        up, down = up & (quick > slow), down & (quick < slow)
    return np.where(np.isnan(averages[-1]), math.nan, up.astype(np.float64) - down)


def run_length(values: Floats) -> int:
    """Return the length of the run of equal values at the end; 0 if the last is NaN or there is none."""
    if not values.size or math.isnan(values[-1]):
        return 0
    other = np.flatnonzero(values != values[-1])
    return int(values.size - 1 - other[-1]) if other.size else int(values.size)


def _nan(values: Floats) -> Floats:
    return np.full(values.size, math.nan)
