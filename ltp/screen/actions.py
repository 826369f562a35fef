"""Splits and bonuses as candles show them: found in prices as traded, and taken out of them.

A split is a step from one close to the next open near a simple ratio that lasts, while about as many rupees change hands as
before: more shares, each cheaper. A crash is none of that: the exchange's bands stop it on the way, it begins with many times
the usual turnover, and it lands on no simple ratio at both the open and the close. Knows no key and no database.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from ltp.core.candle import day_number, day_of
from ltp.core.corporate_action import Action
from ltp.screen.history import Floats, History

# New shares for an old one. Large: no band lets a price fall that far in a day. Small: the market can do it too.
LARGE: Final = tuple(map(Fraction, ("2", "5/2", "3", "4", "5", "6", "8", "10", "15", "20", "25", "50", "100")))
SMALL: Final = tuple(map(Fraction, ("3/2", "4/3", "5/4", "6/5")))
_LARGE_WITHIN: Final = 0.105  # of the open, as a logarithm: shares often rise on the day itself
_SMALL_WITHIN: Final = {Fraction(3, 2): 0.05, Fraction(4, 3): 0.04, Fraction(5, 4): 0.02, Fraction(6, 5): 0.02}
_BAND: Final = 0.24  # the day's close: the widest band of 20% off the adjusted price
_BEFORE: Final = 20
_AFTER: Final = 10
_LASTS_WITHIN: Final = 0.35
_UNEXPLAINED: Final = 1.54  # a fall at the open that no band allows, on no simple ratio: a demerger, most often
_LONGEST_PAUSE_D: Final = 10  # a share that was away for longer may come back at any price
_ISIN_WITHIN_D: Final = 10
_ISIN_LATE_D: Final = 3  # the instrument master may tell of a new ISIN some days after


class Suspect(NamedTuple):
    """A step that looks like `ratio` new shares for an old one, from `ex_day` on; `evidence` is a sentence for an operator."""

    ex_day: date
    ratio: Fraction
    evidence: str


class _Step(NamedTuple):
    """What surrounds one step. `opened`, `closed`: the close before it divided by the day's open and close. `shares`, `rupees`:
    traded on the day against the median of the days before; `after`: the same of the shares of the days that follow, NaN while
    there is none. `drift`: how far the closes
    of two weeks lie from the one beside the step, before it or behind it, as a logarithm: a wrong print stands alone."""

    opened: float
    closed: float
    shares: float
    rupees: float
    after: float
    drift: float
    days_after: int
    locked: bool
    isin: bool


def detect(history: History, isin_last_days: Collection[date] = ()) -> list[Suspect]:
    """Find the splits, bonuses and consolidations in a history as traded.

    Args:
        history: raw candles, oldest first.
        isin_last_days: the last session of each ISIN that the share no longer has; a face-value split changes it.
    Returns:
        Suspects by day. A ratio below 2 is found only three sessions later, when it has lasted.
    """
    found = []
    for at in _candidates(history):
        step = _step(history, at, isin_last_days)
        ratio = _ratio(step)
        if ratio is not None:
            found.append(Suspect(day_of(int(history.days[at])), ratio, _evidence(step, ratio)))
    return found


def adjusted(history: History, actions: Iterable[Action]) -> History:
    """Return raw candles as if every confirmed action had always been.

    Prices before an ex-day are divided by the ratio and volumes multiplied by it. A detected one, which nobody confirmed,
    cuts the history: what was before it is not comparable and left out. Dismissed ones do nothing.
    """
    factor = np.ones(history.days.size)
    first = 0
    for action in actions:
        ex_at = int(np.searchsorted(history.days, day_number(action.ex_day)))
        if action.state == "confirmed":
            factor[:ex_at] *= action.numerator / action.denominator
        elif action.waits:
            first = max(first, ex_at)
    if not first and np.all(factor == 1.0):
        return history
    opened, high, low, close = ((column / factor)[first:] for column in (history.open, history.high, history.low, history.close))
    return History(history.days[first:], opened, high, low, close, (history.volume * factor)[first:])


def doubts(history: History, actions: Iterable[Action]) -> tuple[str, ...]:
    """Return a sentence for each action that cuts this history."""
    if not history.days.size:
        return ()
    first, last = day_of(int(history.days[0])), day_of(int(history.days[-1]))
    return tuple(
        f"Days before {action.ex_day} are left out: {_suspected(action)} and not confirmed"
        for action in actions
        if action.waits and first < action.ex_day <= last
    )


def _suspected(action: Action) -> str:
    if action.state == "unexplained":
        return f"an unexplained step of {action.ratio} (a demerger, perhaps) is suspected"
    return f"a split or bonus of {action.ratio} is suspected"


def _candidates(history: History) -> list[int]:
    """Return where a session opened far from the close before it; nearly none of a share's thousand."""
    before, opened = history.close[:-1], history.open[1:]
    if not before.size:
        return []
    ratio = np.divide(before, opened, out=np.ones_like(before), where=opened > 0)
    pause = np.diff(history.days)
    far = ((ratio > 1.17) | (ratio < 0.56)) & (pause <= _LONGEST_PAUSE_D)
    return [int(at) + 1 for at in np.flatnonzero(far)]


def _step(history: History, at: int, isin_last_days: Collection[date]) -> _Step:
    before, after = slice(max(0, at - _BEFORE), at), slice(at + 1, at + 1 + _AFTER)
    shares, rupees = (_median(column[before]) for column in (history.volume, history.volume * history.close))
    previous, later = history.close[at - 1], history.close[after]
    day = day_of(int(history.days[at]))
    return _Step(
        opened=float(previous / history.open[at]),
        closed=float(previous / history.close[at]),
        shares=float(history.volume[at]) / shares,
        rupees=float(history.volume[at] * history.close[at]) / rupees,
        after=_median(history.volume[after]) / shares if later.size else math.nan,
        drift=max(_drift(later, history.close[at]), _drift(history.close[max(0, at - _AFTER) : at], previous)),
        days_after=int(later.size),
        locked=bool(history.high[at] <= history.low[at] * 1.002),
        isin=any(-_ISIN_LATE_D <= (day - last).days <= _ISIN_WITHIN_D for last in isin_last_days),
    )


def _drift(closes: Floats, level: float) -> float:
    return abs(math.log(_median(closes) / level)) if closes.size else 0.0


def _median(values: Floats) -> float:
    """Return the median, 1 where nothing was traded: a ratio to it must stay a number."""
    median = float(np.median(values)) if values.size else 0.0
    return median if median > 0 else 1.0


def _ratio(step: _Step) -> Fraction | None:
    if step.drift > _LASTS_WITHIN:
        return None
    large = (*LARGE, *(1 / ratio for ratio in LARGE))
    nearest = min(large, key=lambda ratio: _off(step.opened, ratio))
    if (
        _off(step.opened, nearest) <= _LARGE_WITHIN
        and _off(step.closed, nearest) <= _BAND
        and (step.isin or _volume_follows(step, float(nearest)))
    ):
        return nearest
    nearest = min(SMALL, key=lambda ratio: _off(step.opened, ratio))
    within = _SMALL_WITHIN[nearest]
    if max(_off(step.opened, nearest), _off(step.closed, nearest)) <= within and _is_calm(step, float(nearest)):
        return nearest
    if step.opened >= _UNEXPLAINED and step.days_after >= 3 and step.rupees <= 15.0:
        return Fraction(step.opened).limit_denominator(20)
    return None


def _off(quotient: float, ratio: Fraction) -> float:
    return abs(math.log(quotient / ratio))


def _volume_follows(step: _Step, ratio: float) -> bool:
    """Tell whether the number of shares went with the ratio, on the day or in the two weeks behind it."""
    if step.rupees > 15.0:
        return False
    if not step.days_after:
        # A wrong print looks like this too, but moves no volume.
        return step.shares >= 0.6 * ratio if ratio > 1 else step.shares <= ratio / 0.6
    most, least = max(step.shares, step.after), min(step.shares, step.after)
    return most >= 0.45 * ratio if ratio > 1 else least <= ratio / 0.45


def _is_calm(step: _Step, ratio: float) -> bool:
    """Tell a bonus of 1:2 and less from bad news: nothing locked at a band, shares up by the ratio and rupees as usual."""
    return step.days_after >= 3 and not step.locked and step.shares >= 0.85 * ratio and step.rupees <= 3.0


def _evidence(step: _Step, ratio: Fraction) -> str:
    said = [f"opened at 1/{step.opened:.2f} of the close before and closed at 1/{step.closed:.2f}"]
    said.append(f"{step.shares:.1f} times the usual shares for {step.rupees:.1f} times the usual rupees")
    if step.isin:
        said.append("the ISIN changed")
    if ratio not in LARGE and ratio not in SMALL and ratio > 1:
        said.append("no ratio of splits and bonuses: a demerger, perhaps")
    said.append(f"{step.days_after} sessions since, none far away" if step.days_after else "it is the newest session")
    return "; ".join(said)
