"""Splits, bonuses and demergers as candles show them: found in prices as traded, and taken out of them.

A split is a step from one close to the next open near a simple ratio, while about as many rupees change hands
as before: more shares, each cheaper. A step that is wider than any band and at no simple ratio is
unexplained: a demerger, most often. A crash is none of that: the exchange's bands stop it on the way. Knows
no key and no database.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from ltp.core.history.candle import day_number, day_of
from ltp.core.history.corporate_action import PAISE, Action
from ltp.screen.history import History
from ltp.screen.steps import LONGEST_PAUSE_D, Step, came_back, far, is_wide, step

# New shares for an old one. Large: no band lets a price fall that far in a day. Small: the market can do it
# too.
LARGE: Final = tuple(
    map(Fraction, ("2", "5/2", "3", "4", "5", "6", "8", "10", "15", "20", "25", "50", "100"))
)
SMALL: Final = tuple(map(Fraction, ("3/2", "4/3", "5/4", "6/5")))
_USUAL: Final = frozenset((Fraction(2), Fraction(5), Fraction(10)))
# How far from the ratio a session may open, as a logarithm. A demerger lands anywhere, so what is farther off
# needs more.
_WITHIN: Final = 0.05
_RARE_WITHIN: Final = 0.03
_WITHIN_BY_VOLUME: Final = 0.08  # where the number of shares went with the ratio all along
_WITHIN_BY_ISIN: Final = 0.105
_SMALL_WITHIN: Final = {
    Fraction(3, 2): 0.05,
    Fraction(4, 3): 0.03,
    Fraction(5, 4): 0.02,
    Fraction(6, 5): 0.02,
}
_BAND: Final = 0.24  # the day's close: the widest band of 20% off the adjusted price
_SMALL_STEP: Final = 1.15  # below, too many falls of the market's own
_SMALL_DAY: Final = 0.01  # what the close may be farther off than the open
_CIRCUITS: Final = (0.02, 0.05, 0.1, 0.2)
# After a pause. What a share may have moved by itself while it was away, as a logarithm: at least, at most,
# by the day's root.
_AWAY: Final = math.log(2.5)
_AWAY_MOST: Final = math.log(10)
_AWAY_A_DAY: Final = 0.12
_SHORT_PAUSE_D: Final = 45


class Suspect(NamedTuple):
    """A step that looks like `ratio` new shares for an old one, from `ex_day` on; None where no simple ratio
    explains it.

    `prices`: the close before it and its open, in paise. `evidence` is a sentence for an operator.
    """

    ex_day: date
    ratio: Fraction | None
    prices: tuple[int, int]
    evidence: str


def detect(
    history: History, isin_last_days: Collection[date] = (), moves: Mapping[int, float] | None = None
) -> list[Suspect]:
    """Find the splits, bonuses, consolidations and unexplained steps in a history as traded.

    Args:
        history: raw candles, oldest first.
        isin_last_days: the last session of each ISIN that the share no longer has; a face-value split changes
            it.
        moves: the market's own steps by day, as `steps.market` returns them.
    Returns:
        Suspects by day. A step within the bands is found only three sessions later, when it has lasted.
    """
    found, moves = [], moves or {}
    for at in far(history, _SMALL_STEP) if history.days.size > 1 else ():
        one = step(history, at, isin_last_days, moves)
        wide = is_wide(history, at)
        if one.pause > LONGEST_PAUSE_D:
            away = any(day in moves for day in range(int(history.days[at - 1]) + 1, int(history.days[at])))
            suspected, ratio = _after_pause(one, wide, away and one.pause <= _SHORT_PAUSE_D)
        elif wide:
            suspected, ratio = not came_back(history, at), _ratio(one)
        else:
            ratio = _small_in_band(history, at, one)
            suspected = ratio is not None
        if suspected:
            prices = round(one.before * PAISE), round(one.open * PAISE)
            found.append(Suspect(day_of(int(history.days[at])), ratio, prices, _evidence(one, ratio)))
    return found


def adjusted(history: History, actions: Iterable[Action]) -> History:
    """Return raw candles as if every confirmed action had always been.

    Prices before an ex-day are divided by the ratio and volumes multiplied by it, but for a ratio of prices:
    a demerger leaves the number of shares as it is. One that waits for an operator cuts the history: what was
    before it is not comparable and left out. Dismissed ones do nothing.
    """
    factor, shares = np.ones(history.days.size), np.ones(history.days.size)
    first = 0
    for action in actions:
        ex_at = int(np.searchsorted(history.days, day_number(action.ex_day)))
        if action.state == "confirmed":
            factor[:ex_at] *= action.numerator / action.denominator
            shares[:ex_at] *= 1.0 if action.of_prices else action.numerator / action.denominator
        elif action.waits:
            first = max(first, ex_at)
    if not first and np.all(factor == 1.0):
        return history
    opened, high, low, close = (
        (column / factor)[first:] for column in (history.open, history.high, history.low, history.close)
    )
    return History(history.days[first:], opened, high, low, close, (history.volume * shares)[first:])


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


def _after_pause(one: Step, wide: bool, away: bool) -> tuple[bool, Fraction | None]:
    """Tell whether a share came back at a price that its own moves do not explain, and at which ratio.

    `away`: it was away for a short while in which others traded; else files may be missing, and it moved as
    they did.
    """
    ratio = _ratio(one)
    moved = abs(math.log(one.before / one.open))
    most = min(max(_AWAY, _AWAY_A_DAY * math.sqrt(one.pause)), _AWAY_MOST)
    large = ratio is not None and ratio not in SMALL
    suspected = moved >= most or (wide and (one.isin or away)) or (large and one.pause <= _SHORT_PAUSE_D)
    return suspected, ratio


def _ratio(one: Step) -> Fraction | None:
    """Return the simple ratio that a wide step is at, None where its prices or its volume are those of none."""
    nearest = min(
        (*LARGE, *(1 / ratio for ratio in LARGE), *SMALL), key=lambda ratio: _off(one.opened, ratio)
    )
    if nearest in SMALL:
        return nearest if _is_small(one, nearest) else None
    near = _off(one.opened, nearest) <= _within(one, nearest) and _off(one.closed, nearest) <= _BAND
    return nearest if near and (one.isin or _volume_follows(one, float(nearest))) else None


def _within(one: Step, ratio: Fraction) -> float:
    if one.isin:
        return _WITHIN_BY_ISIN
    if _volume_lasts(one, float(ratio)):
        return _WITHIN_BY_VOLUME
    return _WITHIN if ratio in _USUAL else _RARE_WITHIN


def _off(quotient: float, ratio: Fraction) -> float:
    return abs(math.log(quotient / ratio))


def _volume_follows(one: Step, ratio: float) -> bool:
    """Tell whether the number of shares went with the ratio, on the day or in the two weeks behind it."""
    if math.isnan(one.shares):
        return True  # nothing was traded before: the prices alone tell
    if not one.days_after:
        # A wrong print looks like this too, but moves no volume.
        return one.shares >= 0.6 * ratio if ratio > 1 else one.shares <= ratio / 0.6
    most, least = np.nanmax((one.shares, one.after)), np.nanmin((one.shares, one.after))
    return bool(most >= 0.45 * ratio if ratio > 1 else least <= ratio / 0.45)


def _volume_lasts(one: Step, ratio: float) -> bool:
    """Tell whether the number of shares went with the ratio on the day and in the two weeks behind it."""
    if math.isnan(one.shares) or math.isnan(one.after):
        return False
    most, least = max(one.shares, one.after), min(one.shares, one.after)
    return least >= 0.95 * ratio if ratio > 1 else most <= ratio / 0.95


def _is_small(one: Step, ratio: Fraction) -> bool:
    """Tell a bonus of 1:2 and less from a demerger in a step wider than any band."""
    if one.locked and _is_circuit(one, ratio):
        return True
    near = (
        _off(one.opened, ratio) <= _SMALL_WITHIN[ratio]
        and _off(one.closed, ratio) <= 2 * _SMALL_WITHIN[ratio]
    )
    if math.isnan(one.shares):
        return near
    return near and one.rupees <= 5.0 and bool(np.nanmax((one.shares, one.after)) >= 0.85 * float(ratio))


def _is_circuit(one: Step, ratio: Fraction) -> bool:
    """Tell whether the one price of the day is a band above or below the close before divided by the ratio."""
    adjusted_close = one.before / float(ratio)
    bands = (adjusted_close * (1 + sign * band) for band in _CIRCUITS for sign in (1, -1))
    return any(abs(one.open - price) <= max(0.05, 0.0005 * price) for price in bands)


def _small_in_band(history: History, at: int, one: Step) -> Fraction | None:
    """Tell a bonus of 1:4 and less from bad news: nothing locked at a band, shares up by the ratio and rupees
    as usual.
    """
    ratio = min(SMALL, key=lambda each: _off(one.opened, each))
    within = _SMALL_WITHIN[ratio]
    near = _off(one.opened, ratio) <= within and _off(one.closed, ratio) <= within + _SMALL_DAY
    calm = one.days_after >= 3 and not one.locked and one.shares >= 0.85 * float(ratio) and one.rupees <= 3.0
    return ratio if near and calm and one.before >= 1.0 and not came_back(history, at) else None


def _evidence(one: Step, ratio: Fraction | None) -> str:
    said = [f"opened at 1/{one.before / one.open:.2f} of the close before and closed at 1/{one.closed:.2f}"]
    if ratio is None:
        said.append(
            "at no ratio of splits and bonuses that its prices and volume bear out: a demerger, perhaps"
        )
    if not math.isnan(one.shares):
        said.append(f"{one.shares:.1f} times the usual shares for {one.rupees:.1f} times the usual rupees")
    if one.isin:
        said.append("the ISIN changed")
    if one.pause > LONGEST_PAUSE_D:
        said.append(f"after a pause of {one.pause} days")
    said.append(f"{one.days_after} sessions since" if one.days_after else "it is the newest session")
    return "; ".join(said)
