"""The closes and candles of one share for a chart: adjusted for splits; closes with two moving averages.

Plain Python for one share on a page. Screens compute the same formulas for thousands of shares on arrays, and
tests compare the numbers of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.core.history.candle import RECORD, Candle, day_number, day_of, unpack
from ltp.core.history.corporate_action import Action
from ltp.core.money import SCALE

FAST: Final = 50
SLOW: Final = 200


class Closes(NamedTuple):
    """Sessions, oldest first, in rupees; all of one length. `fast`, `slow`: EMA 50 and 200, None at first."""

    days: tuple[date, ...]
    closes: tuple[float, ...]
    fast: tuple[float | None, ...]
    slow: tuple[float | None, ...]

    def last(self, sessions: int) -> Closes:
        return Closes(*(each[-sessions:] for each in self))  # type: ignore[arg-type]


def closes_of(packed: bytes, actions: Iterable[Action] = ()) -> Closes:
    """Return the closes of records of `core.history.candle`, which must be in order.

    Closes before a confirmed action are adjusted for it; days before an action that waits are left out.

    Raises:
        ValueError: the records are damaged.
    """
    if len(packed) % RECORD.size:
        raise ValueError("a torn record")
    candles = [(number, close / SCALE) for number, _, _, _, close, _ in RECORD.iter_unpack(packed)]
    for action in actions:
        ex_day = day_number(action.ex_day)
        if action.state == "confirmed":
            factor = action.numerator / action.denominator
            candles = [(number, close / factor if number < ex_day else close) for number, close in candles]
        elif action.waits:
            candles = [each for each in candles if each[0] >= ex_day]
    closes = tuple(close for _, close in candles)
    if min(closes, default=1) <= 0:
        raise ValueError("prices not above 0")
    return Closes(
        tuple(day_of(number) for number, _ in candles), closes, ema(closes, FAST), ema(closes, SLOW)
    )


def candles_of(packed: bytes, actions: Iterable[Action] = ()) -> list[Candle]:
    """Return the candles of records, adjusted or left out as in `closes_of`; volumes are adjusted too.

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
