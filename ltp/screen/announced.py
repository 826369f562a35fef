"""Comparison of announced corporate actions with the candles around their ex-day.

A wrong day or a wrong ratio would spoil the whole history before it.
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
# Logarithm of the open against the announced ratio: real actions opened within 0.1 of theirs, and 4:1 and 5:1
# are 0.22 apart.
_OPENS_WITHIN: Final = 0.17
_MIN_JUDGED: Final = 0.09  # a bonus of 1:10; the step of a smaller one may vanish in a rise on its morning
_AS_BEFORE: Final = 0.35  # of the announced step: a price nearer than this to the close before shows no step
_MIN_STEP: Final = 0.015
_TIMES_USUAL: Final = 7  # times the median gap, which is two thirds of a standard deviation
_FEWEST_GAPS: Final = 10


def contradiction(history: History, ex_day: date, ratio: Fraction) -> str:
    """Return a sentence with the prices as traded if they contradict a ratio, else "".

    Also "" if there is no evidence: the ex-day is before the candles, after them or after a long pause.
    """
    at = _index(history, ex_day)
    if at is None:
        return ""
    before, opened, closed = _prices(history, at)
    announced, steps = math.log(ratio), (math.log(before / opened), math.log(before / closed))
    no_step = abs(announced) >= _MIN_JUDGED and all(abs(step) < abs(announced) * _AS_BEFORE for step in steps)
    near = abs(steps[0] - announced) <= _OPENS_WITHIN and abs(steps[1] - announced) <= _BAND
    return "" if near and not no_step else f"the candles {step_on(history, ex_day)}"


def step_on(history: History, ex_day: date) -> str:
    """Return the end of a sentence with the step of the ex-day and its prices, "" without evidence."""
    at = _index(history, ex_day)
    if at is None:
        return ""
    before, opened, closed = _prices(history, at)
    prices = f"close {before:.2f} before it, then open {opened:.2f} and close {closed:.2f}"
    return f"of {day_of(int(history.days[at]))} show {before / opened:.2f}:1 ({prices})"


def stepped(history: History, ex_day: date) -> tuple[date, float, float] | None:
    """Return the session of an announced demerger, the close before it and its open; None without a step.

    An announcement is evidence by itself, so a fall of seven times the usual gap is enough.
    """
    at = _index(history, ex_day)
    if at is None or at <= _FEWEST_GAPS:
        return None
    gaps = np.abs(np.log(history.open[1:at] / history.close[: at - 1]))
    before, opened, _ = _prices(history, at)
    enough = math.log(before / opened) >= max(_MIN_STEP, _TIMES_USUAL * float(np.median(gaps)))
    return (day_of(int(history.days[at])), before, opened) if enough else None


def _index(history: History, ex_day: date) -> int | None:
    at = int(np.searchsorted(history.days, day_number(ex_day)))
    if not 0 < at < history.days.size or history.days[at] - history.days[at - 1] > LONGEST_PAUSE_D:
        return None
    return at if min(_prices(history, at)) > 0 else None


def _prices(history: History, at: int) -> tuple[float, float, float]:
    return float(history.close[at - 1]), float(history.open[at]), float(history.close[at])
