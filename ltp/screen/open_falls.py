"""Unusual falls at the open within the price bands: a small bonus, a demerger or trading may be the cause."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from ltp.core.history.candle import day_of
from ltp.screen.history import History
from ltp.screen.steps import is_wide, step_candidates

_MIN_FACTOR: Final = 1.04  # close before divided by the open
_GAPS: Final = 60  # sessions of which the usual gap is the median
_MIN_GAPS: Final = 20
_MIN_TIMES: Final = 12  # times the usual gap
_KNOWN_WITHIN: Final = timedelta(days=5)
_MAX_FALLS: Final = 5


class Fall(NamedTuple):
    """`times`: the fall without the market's own move, in multiples of the share's usual gap."""

    day: date
    before: float
    opened: float
    times: float


def falls(
    history: History, known: Collection[date] = (), moves: Mapping[int, float] | None = None
) -> list[Fall]:
    """Return the at most five largest falls at the open against the share's usual gap, by day.

    Args:
        history: raw candles.
        known: ex-days of known actions.
        moves: the market's own steps, from `steps.market_steps`.
    """
    if history.days.size <= _MIN_GAPS:
        return []
    own = np.array([(moves or {}).get(int(day), 0.0) for day in history.days[1:]])
    gaps = np.log(history.open[1:] / history.close[:-1]) - own
    found = []
    for at in step_candidates(history, _MIN_FACTOR):
        before = gaps[max(0, at - 1 - _GAPS) : at - 1]
        day = day_of(int(history.days[at]))
        if (
            before.size < _MIN_GAPS
            or is_wide(history, at)
            or any(abs(day - each) <= _KNOWN_WITHIN for each in known)
        ):
            continue
        times = -float(gaps[at - 1]) / max(float(np.median(np.abs(before))), 0.001)
        if times >= _MIN_TIMES and gaps[at - 1] <= -math.log(_MIN_FACTOR):
            found.append(Fall(day, float(history.close[at - 1]), float(history.open[at]), times))
    return sorted(sorted(found, key=lambda fall: -fall.times)[:_MAX_FALLS])
