"""Whether the candles of its day contradict a ratio that was announced: a wrong day or a wrong ratio ruins
what was before it.
"""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Final

import numpy as np

from ltp.core.history.candle import day_number, day_of
from ltp.screen.history import History
from ltp.screen.steps import LONGEST_PAUSE_D

_BAND: Final = 0.24  # as a logarithm: the widest band of 20%, and a little
_OPENS_WITHIN: Final = (
    0.17  # of the announced ratio: real ones opened within 0.1 of theirs, and 4:1 and 5:1 lie 0.22 apart
)
_LEAST_JUDGED: Final = 0.09  # a bonus of 1:10; a smaller one may be made good by a rise on its morning
_AS_BEFORE: Final = 0.35  # of the announced step: what lies nearer to the close before shows no step
_LEAST_STEP: Final = 0.015
_TIMES_USUAL: Final = 7  # the median gap, which is two thirds of a standard deviation
_FEWEST_GAPS: Final = 10


def contradiction(history: History, ex_day: date, ratio: Fraction) -> str:
    """Return a sentence with the prices as traded where they contradict a ratio, else nothing.

    Nothing too where they tell nothing: the ex-day lies before the candles, behind them or behind a long
    pause.
    """
    at = _place(history, ex_day)
    if at is None:
        return ""
    before, opened, closed = _prices(history, at)
    announced, steps = math.log(ratio), (math.log(before / opened), math.log(before / closed))
    none = abs(announced) >= _LEAST_JUDGED and all(abs(step) < abs(announced) * _AS_BEFORE for step in steps)
    near = abs(steps[0] - announced) <= _OPENS_WITHIN and abs(steps[1] - announced) <= _BAND
    return "" if near and not none else f"the candles {step_on(history, ex_day)}"


def step_on(history: History, ex_day: date) -> str:
    """Return the step of the ex-day and the prices around it as the end of a sentence, nothing where they
    tell nothing.
    """
    at = _place(history, ex_day)
    if at is None:
        return ""
    before, opened, closed = _prices(history, at)
    prices = f"close {before:.2f} before it, then open {opened:.2f} and close {closed:.2f}"
    return f"of {day_of(int(history.days[at]))} show {before / opened:.2f}:1 ({prices})"


def stepped(history: History, ex_day: date) -> tuple[date, float, float] | None:
    """Return the session of an announced demerger, the close before it and its open, None where its prices
    show no step.

    An announcement is evidence by itself, so a fall of a few times the usual gap is enough.
    """
    at = _place(history, ex_day)
    if at is None or at <= _FEWEST_GAPS:
        return None
    gaps = np.abs(np.log(history.open[1:at] / history.close[: at - 1]))
    before, opened, _ = _prices(history, at)
    enough = math.log(before / opened) >= max(_LEAST_STEP, _TIMES_USUAL * float(np.median(gaps)))
    return (day_of(int(history.days[at])), before, opened) if enough else None


def _place(history: History, ex_day: date) -> int | None:
    at = int(np.searchsorted(history.days, day_number(ex_day)))
    if not 0 < at < history.days.size or history.days[at] - history.days[at - 1] > LONGEST_PAUSE_D:
        return None
    return at if min(_prices(history, at)) > 0 else None


def _prices(history: History, at: int) -> tuple[float, float, float]:
    return float(history.close[at - 1]), float(history.open[at]), float(history.close[at])
