"""The candles of one share for a chart, adjusted for splits, and the moving average of closes.

Plain Python for one share on a page. Screens compute the same formulas for thousands of shares on arrays, and
tests compare the numbers of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ltp.core.history.candle import RECORD, Candle, unpack
from ltp.core.history.corporate_action import Action


def candles_of(packed: bytes, actions: Iterable[Action] = ()) -> list[Candle]:
    """Return the candles of records of `core.history.candle`, which must be in order.

    Candles before a confirmed action are adjusted for it, with their volumes; days before an action that waits
    are left out.

    Raises:
        ValueError: the records are damaged.
    """
    if len(packed) % RECORD.size:
        raise ValueError("a torn record")
    candles = unpack(packed)
    for action in actions:
        if action.state == "confirmed":
            factor = action.numerator / action.denominator
            candles = [_adjusted(each, factor) if each.day < action.ex_day else each for each in candles]
        elif action.waits:
            candles = [each for each in candles if each.day >= action.ex_day]
    if min((each.low for each in candles), default=1) <= 0:
        raise ValueError("prices not above 0")
    return candles


def _adjusted(candle: Candle, factor: float) -> Candle:
    open_, high, low, close = (round(price / factor) for price in candle[1:5])
    return Candle(candle.day, open_, high, low, close, round(candle.volume * factor))


def ema(values: Sequence[float], sessions: int) -> tuple[float | None, ...]:
    """Return the exponential average, started with the plain average of the first `sessions` values."""
    if len(values) < sessions:
        return (None,) * len(values)
    average = sum(values[:sessions]) / sessions
    found: list[float | None] = [None] * (sessions - 1)
    found.append(average)
    weight = 2 / (sessions + 1)
    for value in values[sessions:]:
        average += weight * (value - average)
        found.append(average)
    return tuple(found)
