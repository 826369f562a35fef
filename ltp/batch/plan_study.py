"""How the swing strategy's plans would have done: made on days that are past, followed on the candles after
them.

Each plan sees no candle after its day. Shares that are no longer listed have no candles, and costs are left
out, so what comes out is rather too good. Nothing is stored.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.batch import histories
from ltp.batch.evaluate import above_floors
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
_ANY: Final = Sizing(1e12, 1e12)  # which quantity a plan has does not matter here


class StudyRequest(NamedTuple):
    """`universe`: whose shares. `first`, `last`: days of plans, None for as early and as late as the candles
    allow. A plan is made each `every` sessions and followed for `sessions`.
    """

    universe: str
    first: date | None = None
    last: date | None = None
    every: int = 10
    sessions: int = 30


class SetupPlans(NamedTuple):
    """The plans of one setup. `mean`: risks gained by those that were filled, NaN where none was; `error`:
    its standard error. `won`: filled plans that gained.
    """

    setup: str
    plans: int
    filled: int
    mean: float
    error: float
    won: int


class StudyResult(NamedTuple):
    """`shares`: with candles on at least one of the `days` on which plans were made."""

    shares: int
    days: tuple[date, ...]
    groups: tuple[SetupPlans, ...]


def study(
    engine: Engine, asked: StudyRequest, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> StudyResult:
    """Make the plans of the past and follow them. `progress(done, total)`: shares.

    Raises:
        NotFoundError: there is no such universe.
        InputError: there are too few candles for one plan.
        DatabaseError
    """
    index = histories.load_index(engine, days=_ALL).history
    known = {day_of(int(number)) for number in index.days} | {session.day for session in candles.days(engine)}
    days = _days(sorted(known), asked)
    keys = universes.keys(engine, asked.universe)
    ticks = {each.key: each.tick_size for each in instruments.fetch(engine, "NSE_EQ")}
    made: dict[str, list[float | None]] = {}
    shares = 0
    for done, loaded in enumerate(histories.load(engine, keys, days=_ALL), start=1):
        found = list(_plans(loaded.history, index, days, ticks.get(loaded.key, 0), asked.sessions))
        shares += bool(loaded.history.days.size)
        for setup, gained in found:
            made.setdefault(setup, []).append(gained)
        progress(done, len(keys))
    return StudyResult(shares, tuple(days), tuple(_group(setup, made[setup]) for setup in sorted(made)))


def _days(sessions: Sequence[date], asked: StudyRequest) -> Sequence[date]:
    """Return the days of plans: each has a year before it, and the sessions to follow it after it."""
    able = sessions[SETTLED : len(sessions) - asked.sessions]
    days = [day for day in able if (asked.first or day) <= day <= (asked.last or day)][:: asked.every]
    if not days:
        between = (
            f"from {able[0]} to {able[-1]}"
            if able
            else f"none: they need {SETTLED + asked.sessions + 1} sessions"
        )
        raise InputError(
            "days", f"{asked.first or ''}..{asked.last or ''}", f"the candles allow plans of {between}"
        )
    return days


def _plans(
    held: History, index: History, days: Sequence[date], tick: Price, sessions: int
) -> Iterator[tuple[str, float | None]]:
    """Give the setup of each plan that would have been made of a share, and what it gained."""
    for day in days:
        number = day_number(day)
        end = int(held.days.searchsorted(number, side="right"))
        if not end or int(held.days[end - 1]) != number:
            continue
        known = _cut(index, 0, int(index.days.searchsorted(number, side="right")))
        seen = Study(_cut(held, 0, end), known if known.days.size else None, number)
        if not above_floors(seen, BUILT_IN):
            continue
        finding = swing.evaluate(seen, _ANY, tick)
        plan = _plan(finding, day)
        if plan is not None:
            yield finding.setup, r_multiple(plan, _bars(_cut(held, end, end + sessions)))


def _plan(finding: Finding, day: date) -> Plan | None:
    entry, low, high = finding.entry, finding.entry_low, finding.entry_high
    if entry is None or low is None or high is None:
        return None
    return Plan(entry, low, high, finding.stop, finding.target, day.isoformat())


def _cut(held: History, start: int, end: int) -> History:
    within = slice(start, end)
    prices = (held.open[within], held.high[within], held.low[within], held.close[within])
    return History(held.days[within], *prices, held.volume[within])


def _bars(held: History) -> Iterator[Bar]:
    columns = (held.open, held.high, held.low, held.close)
    for bar in zip(*(values.tolist() for values in columns), strict=True):
        opened, high, low, close = (round(price * SCALE) for price in bar)
        yield opened, high, low, close


def _group(setup: str, gained: Sequence[float | None]) -> SetupPlans:
    filled = [each for each in gained if each is not None]
    mean = sum(filled) / len(filled) if filled else math.nan
    spread = (
        math.sqrt(sum((each - mean) ** 2 for each in filled) / (len(filled) - 1))
        if len(filled) > 1
        else math.nan
    )
    error = spread / math.sqrt(len(filled)) if filled else math.nan
    return SetupPlans(setup, len(gained), len(filled), mean, error, sum(each > 0 for each in filled))
