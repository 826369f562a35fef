"""The results of past swing plans: made on past days, followed on the candles after them.

A plan is made without the candles after its day. Shares that are no longer listed have no candles, and costs
are left out, so the results are rather too good. Nothing is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.batch import histories
from ltp.batch.evaluation import above_floors
from ltp.core.criteria.spec import BUILT_IN
from ltp.core.history.candle import day_number, day_of
from ltp.core.history.plan import Plan
from ltp.core.money import SCALE, Price
from ltp.core.sizing import Sizing
from ltp.db import candles, instruments, universes
from ltp.db.engine import Engine
from ltp.errors import InputError
from ltp.screen import swing
from ltp.screen.finding import Finding
from ltp.screen.history import History
from ltp.screen.r_multiple import Bar, r_multiple
from ltp.screen.study import Study

SETTLED: Final = 260  # sessions before the first plan: the averages of a year
_ALL: Final = 20_000  # days of history
_ANY_SIZE: Final = Sizing(1e12, 1e12)  # the quantity does not matter here


class StudyRequest(NamedTuple):
    """`universe`: the shares. `first`, `last`: days of plans, None for as early and as late as the candles
    allow. `every`: a plan is made each so many sessions; `sessions`: it is followed for so many.
    """

    universe: str
    first: date | None = None
    last: date | None = None
    every: int = 10
    sessions: int = 30


class SetupPlans(NamedTuple):
    """The plans of one setup. `mean`: gain of the filled ones in risks (R), NaN without one; `error`: its
    standard error. `won`: filled plans that gained.
    """

    setup: str
    plans: int
    filled: int
    mean: float
    error: float
    won: int


class StudyResult(NamedTuple):
    """`shares`: those that have candles. `days`: those on which plans were made."""

    shares: int
    days: tuple[date, ...]
    groups: tuple[SetupPlans, ...]


def study(
    engine: Engine, request: StudyRequest, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> StudyResult:
    """Make the plans of past days and follow them.

    Args:
        progress: takes the number of shares done, and of all.
    Raises:
        NotFoundError: there is no such universe.
        InputError: there are too few candles for one plan.
        DatabaseError: the candles cannot be read.
    """
    index = histories.load_index(engine, days=_ALL).history
    known = {day_of(int(number)) for number in index.days} | {session.day for session in candles.days(engine)}
    days = _days(sorted(known), request)
    keys = universes.keys(engine, request.universe)
    tick_sizes = {each.key: each.tick_size for each in instruments.fetch(engine, "NSE_EQ")}
    gains: dict[str, list[float | None]] = {}
    shares = 0
    for done, loaded in enumerate(histories.load(engine, keys, days=_ALL), start=1):
        shares += bool(loaded.history.days.size)
        tick_size = tick_sizes.get(loaded.key, 0)
        for setup, gain in _plans(loaded.history, index, days, tick_size, request.sessions):
            gains.setdefault(setup, []).append(gain)
        progress(done, len(keys))
    return StudyResult(shares, tuple(days), tuple(_group(setup, gains[setup]) for setup in sorted(gains)))


def _days(sessions: Sequence[date], request: StudyRequest) -> Sequence[date]:
    """Return the days of plans, each with a year of sessions before it and those to follow it after it."""
    able = sessions[SETTLED : len(sessions) - request.sessions]
    days = [day for day in able if (request.first or day) <= day <= (request.last or day)][:: request.every]
    if not days:
        between = (
            f"from {able[0]} to {able[-1]}"
            if able
            else f"none: they need {SETTLED + request.sessions + 1} sessions"
        )
        raise InputError(
            "days", f"{request.first or ''}..{request.last or ''}", f"the candles allow plans of {between}"
        )
    return days


def _plans(
    history: History, index: History, days: Sequence[date], tick_size: Price, sessions: int
) -> Iterator[tuple[str, float | None]]:
    """Yield setup and gain (in risks, None if never filled) of each plan that would have been made of a
    share.
    """
    for day in days:
        number = day_number(day)
        end = int(history.days.searchsorted(number, side="right"))
        if not end or int(history.days[end - 1]) != number:
            continue
        index_then = _cut(index, 0, int(index.days.searchsorted(number, side="right")))
        study_of_day = Study(_cut(history, 0, end), index_then if index_then.days.size else None, number)
        if not above_floors(study_of_day, BUILT_IN):
            continue
        finding = swing.evaluate(study_of_day, _ANY_SIZE, tick_size)
        plan = _plan(finding, day)
        if plan is not None:
            yield finding.setup, r_multiple(plan, _bars(_cut(history, end, end + sessions)))


def _plan(finding: Finding, day: date) -> Plan | None:
    entry, low, high = finding.entry, finding.entry_low, finding.entry_high
    if entry is None or low is None or high is None:
        return None
    return Plan(entry, low, high, finding.stop, finding.target, day.isoformat())


def _cut(history: History, start: int, end: int) -> History:
    within = slice(start, end)
    prices = (history.open[within], history.high[within], history.low[within], history.close[within])
    return History(history.days[within], *prices, history.volume[within])


def _bars(history: History) -> Iterator[Bar]:
    columns = (history.open, history.high, history.low, history.close)
    for bar in zip(*(values.tolist() for values in columns), strict=True):
        opened, high, low, close = (round(price * SCALE) for price in bar)
        yield opened, high, low, close


def _group(setup: str, gains: Sequence[float | None]) -> SetupPlans:
    filled = [gain for gain in gains if gain is not None]
    mean = sum(filled) / len(filled) if filled else math.nan
    spread = (
        math.sqrt(sum((each - mean) ** 2 for each in filled) / (len(filled) - 1))
        if len(filled) > 1
        else math.nan
    )
    error = spread / math.sqrt(len(filled)) if filled else math.nan
    return SetupPlans(setup, len(gains), len(filled), mean, error, sum(gain > 0 for gain in filled))
