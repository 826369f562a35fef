"""What candles cannot tell: falls at the open within the bands, which a small bonus, a demerger or mere
trading may have made.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from ltp.core.history.candle import day_of
from ltp.screen.history import History
from ltp.screen.steps import far, is_wide

_LEAST: Final = 1.04
_USUAL_OF: Final = 60  # sessions
_FEWEST: Final = 20
_TIMES_USUAL: Final = 12  # the median gap
_KNOWN_WITHIN: Final = timedelta(days=5)
_MOST: Final = 5


class Fall(NamedTuple):
    """`times`: how many times the share's usual gap it is, without the market's own."""

    day: date
    before: float
    opened: float
    times: float


def falls(
    history: History, known: Collection[date] = (), moves: Mapping[int, float] | None = None
) -> list[Fall]:
    """Return the falls at the open that stand out most from the share's own, by day; at most five.

    Args:
        history: as traded.
        known: ex-days of actions that are known.
        moves: the market's own steps, as of `steps.market`.
    """
    if history.days.size <= _FEWEST:
        return []
    own = np.array([(moves or {}).get(int(day), 0.0) for day in history.days[1:]])
    gaps = np.log(history.open[1:] / history.close[:-1]) - own
    found = []
    for at in far(history, _LEAST):
        before = gaps[max(0, at - 1 - _USUAL_OF) : at - 1]
        day = day_of(int(history.days[at]))
        if (
            before.size < _FEWEST
            or is_wide(history, at)
            or any(abs(day - each) <= _KNOWN_WITHIN for each in known)
        ):
            continue
        times = -float(gaps[at - 1]) / max(float(np.median(np.abs(before))), 0.001)
        if times >= _TIMES_USUAL and gaps[at - 1] <= -math.log(_LEAST):
            found.append(Fall(day, float(history.close[at - 1]), float(history.open[at]), times))
    return sorted(sorted(found, key=lambda fall: -fall.times)[:_MOST])
