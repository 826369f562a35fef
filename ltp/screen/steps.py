"""Steps from one close to the next open, and what surrounds them: which are too wide for trading, which came
back.

The exchange opens a share within 20% of the close before, adjusted for splits and the like. A wider step is
therefore no trading, whatever the volume: the number of shares changed, the company was divided, or a print
is wrong. Knows no ratio.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from ltp.core.history.candle import day_of
from ltp.screen.history import Floats, History

BEFORE: Final = 20
AFTER: Final = 10
LONGEST_PAUSE_D: Final = 10  # a share that was away for longer may come back at another price
_BAND: Final = 0.2
_TICK: Final = 0.05  # bands of shares that cost little are rounded to it
_SOON: Final = 3  # sessions in which a wrong print is put right
_PUT_RIGHT: Final = 0.2  # of the step: what is left of it at the close of its day
_UNDONE: Final = 0.35  # of the step: what is left of it after another one
_EVE: Final = 0.9  # of the step: the days before made it the other way round
_EVES: Final = 2  # sessions in which a wrong close stood
_FEWEST_SHARES: Final = 30  # of which the market's move is the median
_ISIN_WITHIN_D: Final = 10
_ISIN_LATE_D: Final = 3  # the instrument master may tell of a new ISIN some days after


class Step(NamedTuple):
    """`opened`, `closed`: the close before it divided by the day's open and close, the open without the
    market's own move.

    `shares`, `rupees`: traded on the day against the median of the days before, NaN where nothing was;
    `after`: the same of the shares of the days that follow, NaN while there is none. `before`, `open`: the
    two prices. `pause`: calendar days.
    """

    opened: float
    closed: float
    shares: float
    rupees: float
    after: float
    days_after: int
    locked: bool
    isin: bool
    pause: int
    before: float
    open: float


def market(histories: Iterable[History]) -> dict[int, float]:
    """Return by day the move from the close before to the open that half of the shares exceeded, as a
    logarithm.

    Days of few shares are left out: their median is that of the shares, not of the market.
    """
    days, moves = [], []
    for history in histories:
        if history.days.size > 1 and min(history.open.min(), history.close.min()) > 0:
            days.append(history.days[1:])
            moves.append(np.log(history.open[1:] / history.close[:-1]))
    if not days:
        return {}
    day, move = np.concatenate(days), np.concatenate(moves)
    order = np.argsort(day, kind="stable")
    day, move = day[order], move[order]
    starts = np.flatnonzero(np.concatenate(([True], day[1:] != day[:-1])))
    ends = np.append(starts[1:], day.size)
    return {
        int(day[s]): float(np.median(move[s:e]))
        for s, e in zip(starts, ends, strict=True)
        if e - s >= _FEWEST_SHARES
    }


def far(history: History, factor: float) -> list[int]:
    """Return where a session opened below the close before divided by `factor`, or wider than any band
    allows.
    """
    before, opened = history.close[:-1], history.open[1:]
    beyond = (opened < before / factor) | _wide(history)
    return [int(at) + 1 for at in np.flatnonzero(beyond & (opened > 0) & (before > 0))]


def is_wide(history: History, at: int) -> bool:
    return bool(_wide(history)[at - 1])


def _wide(history: History) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    before, opened = history.close[:-1], history.open[1:]
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = (opened < before * (1 - _BAND) - _TICK) | (
        opened > before * (1 + _BAND) + _TICK
    )
    return found


def came_back(history: History, at: int) -> bool:
    """Tell whether the step is a wrong print or the end of one: the price was soon where it had been."""
    before, opened, closed = history.close[at - 1], history.open[at], history.close[at]
    step = math.log(before / opened)
    if math.log(before / closed) / step < _PUT_RIGHT:
        return True
    eves = history.close[max(0, at - 1 - _EVES) : at - 1]
    return any(math.log(before / eve) / step >= _EVE for eve in eves) or any(
        _undoes(history, one, other) for one, other in _pairs(history, at)
    )


def _pairs(history: History, at: int) -> list[tuple[int, int]]:
    earlier = [(one, at) for one in range(max(1, at - _SOON), at)]
    return earlier + [(at, other) for other in range(at + 1, min(history.days.size, at + 1 + _SOON))]


def _undoes(history: History, one: int, other: int) -> bool:
    """Tell whether two wide steps cancel each other."""
    wide = _wide(history)
    if not (wide[one - 1] and wide[other - 1]):
        return False
    steps = [math.log(history.close[at - 1] / history.open[at]) for at in (one, other)]
    return steps[0] * steps[1] < 0 and abs(sum(steps)) < _UNDONE * abs(steps[0])


def step(history: History, at: int, isin_last_days: Collection[date], moves: Mapping[int, float]) -> Step:
    """Measure what surrounds the step to the session `at`."""
    before, after = slice(max(0, at - BEFORE), at), slice(at + 1, at + 1 + AFTER)
    shares, rupees = (_median(column[before]) for column in (history.volume, history.volume * history.close))
    previous, later = float(history.close[at - 1]), history.close[after]
    day = day_of(int(history.days[at]))
    return Step(
        opened=previous / float(history.open[at]) * math.exp(moves.get(int(history.days[at]), 0.0)),
        closed=previous / float(history.close[at]),
        shares=float(history.volume[at]) / shares,
        rupees=float(history.volume[at] * history.close[at]) / rupees,
        after=_median(history.volume[after]) / shares if later.size else math.nan,
        days_after=int(later.size),
        locked=bool(history.high[at] <= history.low[at] * 1.002),
        isin=any(-_ISIN_LATE_D <= (day - last).days <= _ISIN_WITHIN_D for last in isin_last_days),
        pause=int(history.days[at] - history.days[at - 1]),
        before=previous,
        open=float(history.open[at]),
    )


def _median(values: Floats) -> float:
    """Return the median, NaN where nothing was traded: every comparison with it fails."""
    median = float(np.median(values)) if values.size else 0.0
    return median if median > 0 else math.nan
