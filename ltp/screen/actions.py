"""Detection of splits, bonuses and demergers in raw candles, and adjustment of candles for them.

A split is a step from one close to the next open near a simple ratio, while about as many rupees change hands
as before: more shares, each cheaper. A step that is wider than any band and at no simple ratio is
unexplained: a demerger, most often. A crash makes no such step, because the exchange's bands stop it before.
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
from ltp.screen.steps import LONGEST_PAUSE_D, Step, is_wide, reverts, step, step_candidates

# New shares for an old one. LARGE: no band lets a price fall that far in a day. SMALL: trading can do it too.
LARGE: Final = tuple(
    map(Fraction, ("2", "5/2", "3", "4", "5", "6", "8", "10", "15", "20", "25", "50", "100"))
)
SMALL: Final = tuple(map(Fraction, ("3/2", "4/3", "5/4", "6/5")))
_USUAL: Final = frozenset((Fraction(2), Fraction(5), Fraction(10)))
# How far from the ratio a session may open, as a logarithm. A demerger may open anywhere, so a larger
# distance needs more evidence.
_WITHIN: Final = 0.05
_RARE_WITHIN: Final = 0.03
_WITHIN_BY_VOLUME: Final = 0.08  # if the number of shares followed the ratio on the day and for two weeks
_WITHIN_BY_ISIN: Final = 0.105  # if the ISIN changed
_SMALL_WITHIN: Final = {
    Fraction(3, 2): 0.05,
    Fraction(4, 3): 0.03,
    Fraction(5, 4): 0.02,
    Fraction(6, 5): 0.02,
}
_BAND: Final = 0.24  # for the day's close: the widest band of 20% from the adjusted price
_SMALL_STEP: Final = 1.15  # smaller steps are too often the market's own falls
_SMALL_DAY: Final = 0.01  # how much farther from the ratio than the open the close may be
_CIRCUITS: Final = (0.02, 0.05, 0.1, 0.2)
# The move that a share may make by itself during a pause, as a logarithm: at least, at most, and times the
# square root of the days.
_PAUSE_MIN: Final = math.log(2.5)
_PAUSE_MAX: Final = math.log(10)
_PAUSE_A_DAY: Final = 0.12
_SHORT_PAUSE_D: Final = 45


class Suspect(NamedTuple):
    """A step that looks like `ratio` new shares for an old one from `ex_day` on; None at no simple ratio.

    `prices`: the close before it and its open, in paise. `evidence`: a sentence for an operator.
    """

    ex_day: date
    ratio: Fraction | None
    prices: tuple[int, int]
    evidence: str


def detect(
    history: History, isin_last_days: Collection[date] = (), moves: Mapping[int, float] | None = None
) -> list[Suspect]:
    """Find the splits, bonuses, consolidations and unexplained steps in raw candles.

    Args:
        history: raw candles, oldest first.
        isin_last_days: the last session of each former ISIN of the share; a face-value split changes it.
        moves: the market's own steps by day, from `steps.market_steps`.
    Returns:
        Suspects by day. A step within the bands is found only three sessions later, when it has lasted.
    """
    found, moves = [], moves or {}
    for at in step_candidates(history, _SMALL_STEP) if history.days.size > 1 else ():
        one = step(history, at, isin_last_days, moves)
        wide = is_wide(history, at)
        if one.pause > LONGEST_PAUSE_D:
            others_traded = any(
                day in moves for day in range(int(history.days[at - 1]) + 1, int(history.days[at]))
            )
            suspected, ratio = _after_pause(one, wide, others_traded and one.pause <= _SHORT_PAUSE_D)
        elif wide:
            suspected, ratio = not reverts(history, at), _ratio(one)
        else:
            ratio = _small_in_band(history, at, one)
            suspected = ratio is not None
        if suspected:
            prices = round(one.before * PAISE), round(one.open * PAISE)
            found.append(Suspect(day_of(int(history.days[at])), ratio, prices, _evidence(one, ratio)))
    return found


def adjusted(history: History, actions: Iterable[Action]) -> History:
    """Return raw candles adjusted for all confirmed actions.

    Prices before an ex-day are divided by the ratio. Volumes are multiplied by it, except for a ratio of
    prices, because a demerger does not change the number of shares. An action that waits for an operator cuts
    the history: days before it are not comparable and left out. Dismissed actions change nothing.
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


def _after_pause(one: Step, wide: bool, suspended: bool) -> tuple[bool, Fraction | None]:
    """Return whether a share returned at a price that its own moves do not explain, and the step's ratio.

    `suspended`: the pause was short and other shares traded in it. Otherwise files may be missing, and the
    share may have traded all the time.
    """
    ratio = _ratio(one)
    moved = abs(math.log(one.before / one.open))
    limit = min(max(_PAUSE_MIN, _PAUSE_A_DAY * math.sqrt(one.pause)), _PAUSE_MAX)
    large = ratio is not None and ratio not in SMALL
    suspected = (
        moved >= limit or (wide and (one.isin or suspended)) or (large and one.pause <= _SHORT_PAUSE_D)
    )
    return suspected, ratio


def _ratio(one: Step) -> Fraction | None:
    """Return the simple ratio of a wide step, None if its prices or its volume fit none."""
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
    """Return whether the number of shares followed the ratio, on the day or in the two weeks after it."""
    if math.isnan(one.shares):
        return True  # without trades before, only the prices are evidence
    if not one.days_after:
        # A wrong price looks like this too, but moves no volume.
        return one.shares >= 0.6 * ratio if ratio > 1 else one.shares <= ratio / 0.6
    most, least = np.nanmax((one.shares, one.after)), np.nanmin((one.shares, one.after))
    return bool(most >= 0.45 * ratio if ratio > 1 else least <= ratio / 0.45)


def _volume_lasts(one: Step, ratio: float) -> bool:
    """Return whether the number of shares followed the ratio on the day and in the two weeks after it."""
    if math.isnan(one.shares) or math.isnan(one.after):
        return False
    most, least = max(one.shares, one.after), min(one.shares, one.after)
    return least >= 0.95 * ratio if ratio > 1 else most <= ratio / 0.95


def _is_small(one: Step, ratio: Fraction) -> bool:
    """Return whether a step wider than any band is a bonus of 1:2 or less, and no demerger."""
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
    """Return whether the day's only price is a band above or below the close before / `ratio`."""
    adjusted_close = one.before / float(ratio)
    bands = (adjusted_close * (1 + sign * band) for band in _CIRCUITS for sign in (1, -1))
    return any(abs(one.open - price) <= max(0.05, 0.0005 * price) for price in bands)


def _small_in_band(history: History, at: int, one: Step) -> Fraction | None:
    """Return the ratio of a small bonus in a step within the bands, None for bad news.

    A bonus does not lock the price at a band, raises the number of shares by the ratio and leaves the rupees
    as usual.
    """
    ratio = min(SMALL, key=lambda each: _off(one.opened, each))
    within = _SMALL_WITHIN[ratio]
    near = _off(one.opened, ratio) <= within and _off(one.closed, ratio) <= within + _SMALL_DAY
    calm = one.days_after >= 3 and not one.locked and one.shares >= 0.85 * float(ratio) and one.rupees <= 3.0
    return ratio if near and calm and one.before >= 1.0 and not reverts(history, at) else None


def _evidence(one: Step, ratio: Fraction | None) -> str:
    parts = [f"opened at 1/{one.before / one.open:.2f} of the close before and closed at 1/{one.closed:.2f}"]
    if ratio is None:
        parts.append(
            "at no ratio of splits and bonuses that its prices and volume bear out: a demerger, perhaps"
        )
    if not math.isnan(one.shares):
        parts.append(f"{one.shares:.1f} times the usual shares for {one.rupees:.1f} times the usual rupees")
    if one.isin:
        parts.append("the ISIN changed")
    if one.pause > LONGEST_PAUSE_D:
        parts.append(f"after a pause of {one.pause} days")
    parts.append(f"{one.days_after} sessions since" if one.days_after else "it is the newest session")
    return "; ".join(parts)
