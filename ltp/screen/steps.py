"""Steps from one close to the next open: which are too wide for trading, and which the price soon reverted.

The exchange opens a share within 20% of the close before, adjusted for splits and other actions. A wider step
is therefore never trading: the number of shares changed, the company was divided, or a price is wrong.
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
LONGEST_PAUSE_D: Final = 10  # after a longer pause a share may return at another price
_BAND: Final = 0.2
_TICK: Final = 0.05  # bands of cheap shares are rounded to it
_SOON: Final = 3  # sessions in which a wrong price is corrected
_CORRECTED: Final = 0.2  # of the step: less is left of a wrong open at the close of its day
_UNDONE: Final = 0.35  # of the step: less is left of it after a step back
_OPPOSITE: Final = 0.9  # of the step: the close before made at least this step in the other direction
_WRONG_CLOSES: Final = 2  # sessions that a wrong close may last
_MIN_SHARES: Final = 30  # for the median that is the market's move
_ISIN_WITHIN_D: Final = 10
_ISIN_LATE_D: Final = 3  # the instrument master may have a new ISIN some days late


class Step(NamedTuple):
    """`opened`, `closed`: the close before divided by the day's open and close; the open is corrected for the
    market's move.

    `shares`, `rupees`: traded on the day against the median of the days before, NaN without trades then.
    `after`: the same for the shares of the following days, NaN while there is none. `days_after`: the number
    of following sessions, at most ten. `locked`: the day has only one price. `isin`: the ISIN changed then.
    `pause`: calendar days since the session before. `before`, `open`: the two prices.
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


def market_steps(histories: Iterable[History]) -> dict[int, float]:
    """Return by day the median move of all shares from the close before to the open, as a logarithm.

    Days with fewer than 30 shares are left out, because their median is no move of the market.
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
        if e - s >= _MIN_SHARES
    }


def step_candidates(history: History, factor: float) -> list[int]:
    """Return the indices of sessions that opened below the close before / `factor`, or past any band."""
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


def reverts(history: History, at: int) -> bool:
    """Return whether the step begins or ends a wrong price: the price was soon back at its former level."""
    before, opened, closed = history.close[at - 1], history.open[at], history.close[at]
    step = math.log(before / opened)
    if math.log(before / closed) / step < _CORRECTED:
        return True
    earlier = history.close[max(0, at - 1 - _WRONG_CLOSES) : at - 1]
    return any(math.log(before / close) / step >= _OPPOSITE for close in earlier) or any(
        _undoes(history, one, other) for one, other in _pairs(history, at)
    )


def _pairs(history: History, at: int) -> list[tuple[int, int]]:
    earlier = [(one, at) for one in range(max(1, at - _SOON), at)]
    return earlier + [(at, other) for other in range(at + 1, min(history.days.size, at + 1 + _SOON))]


def _undoes(history: History, one: int, other: int) -> bool:
    """Return whether two wide steps cancel each other."""
    wide = _wide(history)
    if not (wide[one - 1] and wide[other - 1]):
        return False
    steps = [math.log(history.close[at - 1] / history.open[at]) for at in (one, other)]
    return steps[0] * steps[1] < 0 and abs(sum(steps)) < _UNDONE * abs(steps[0])


def step(history: History, at: int, isin_last_days: Collection[date], moves: Mapping[int, float]) -> Step:
    """Measure the step to the session at index `at`."""
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
    """Return the median, NaN without trades, so that every comparison with it fails."""
    median = float(np.median(values)) if values.size else 0.0
    return median if median > 0 else math.nan
