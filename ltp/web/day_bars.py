"""Bars of days, weeks and months of one instrument for a page or the API, from its daily candles in SQL."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from ltp.core.bars.bar import BROKER, OFFICIAL, PARTIAL, Bar
from ltp.core.history import periods
from ltp.core.instrument import split_key
from ltp.core.trading_day import IST, day_start
from ltp.db import daily_history
from ltp.db.daily_history import History, Wanted
from ltp.web.services import services


class DayBars(NamedTuple):
    """Bars, oldest first, each from midnight in India on.

    A week starts on Monday, a month on its first, whether or not these have a session. `adjusted`: for splits
    and bonuses. `last`: the newest session that is stored, None without any.
    """

    bars: list[Bar]
    adjusted: bool
    last: date | None


def latest(key: str, timeframe: str, limit: int, until: datetime, *, adjusted: bool) -> DayBars:
    """Return up to `limit` bars that start before `until`, the newest ones.

    Args:
        timeframe: one of `periods.NAMES`.
        adjusted: see `daily_history.fetch`.
    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
        ValueError: the daily candles are damaged.
    """
    last = periods.last_day(until.astimezone(IST).date(), timeframe)
    # One bar more: the last one may start at `until`, and the first one may lack its first sessions.
    most = (limit + 1) * periods.MOST_SESSIONS[timeframe]
    found = _read(key, timeframe, Wanted(date.min, last, most, newest=True), adjusted=adjusted)
    end = until.timestamp()
    return found._replace(bars=[bar for bar in found.bars if bar.start < end][-limit:])


def following(
    key: str, timeframe: str, since: datetime, until: datetime, limit: int, *, adjusted: bool
) -> DayBars:
    """Return up to `limit` bars that start in `[since, until)`, the oldest ones.

    Args:
        timeframe, adjusted: as in `latest`.
    Raises:
        DatabaseError, ValueError: as `latest`.
    """
    begin = min(since, until).astimezone(IST)
    first = begin.date() + timedelta(days=begin.time() != time())
    if periods.first_day(first, timeframe) < first:  # that bar starts before `since`
        first = periods.last_day(first, timeframe) + timedelta(days=1)
    last = periods.last_day(until.astimezone(IST).date(), timeframe)
    most = limit * periods.MOST_SESSIONS[timeframe]
    found = _read(key, timeframe, Wanted(first, last, most, newest=False), adjusted=adjusted)
    end = until.timestamp()
    return found._replace(bars=[bar for bar in found.bars if bar.start < end][:limit])


def _read(key: str, timeframe: str, wanted: Wanted, *, adjusted: bool) -> DayBars:
    found = daily_history.fetch(services().engine, key, wanted, adjusted=adjusted)
    source = OFFICIAL if found.basis == "raw" else BROKER
    bars = [
        Bar(day_start(first), *rest)._replace(sources=source)
        for first, *rest in periods.rolled_up(found.candles, timeframe)
    ]
    if bars and _is_partial(key, timeframe, found):
        bars[-1] = bars[-1]._replace(marks=PARTIAL)
    return DayBars(bars, found.adjusted, found.last)


def _is_partial(key: str, timeframe: str, found: History) -> bool:
    """Return whether sessions of the last bar are still to come, or to be imported."""
    last = found.candles[-1].day
    if last != found.last:
        return False
    rest = range(1, (periods.last_day(last, timeframe) - last).days + 1)
    calendar, segment = services().calendar(), split_key(key)[0]
    return any(calendar.windows(segment, last + timedelta(days=days)) for days in rest)
