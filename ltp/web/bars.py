"""Intraday bars of one instrument for a page or the API: from SQL, rolled up within each session."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from ltp.core.bars import columns
from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.columns import NONE, BarColumns, chained
from ltp.core.bars.forming import continued
from ltp.core.bars.parts import FIVE, both_parts, made_of_fives
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import split_key
from ltp.core.market import kinds
from ltp.core.trading_day import IST, date_of, midnight_of
from ltp.db import minute_bars
from ltp.db.bars import bar_days, five_minute_bars
from ltp.db.bars.bar_days import BarDay
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

_READ_AT_ONCE: Final = 150  # sessions of five-minute bars of one read, or 30 of one-minute bars
_SESSION_MINUTES: Final = 375  # of shares; where sessions are longer, more is read than is needed
_STORED_WITHIN_S: Final = 10.0  # after its end
# Of one chart: 20 sessions of the longest trading day, some 25 ms of CPU in which the streams wait.
_MOST_MINUTES: Final = 18_000
_DAYS_BACK: Final = 90  # searched for its sessions


class Stretch(NamedTuple):
    """Bars of successive sessions, oldest first; the first `earlier` are before the sessions asked for."""

    bars: list[Bar]
    earlier: int


def only_longer(key: str, minutes: int) -> bool:
    """Return whether an instrument has bars for longer timeframes than this one alone.

    Raises:
        DatabaseError: as `latest`.
    """
    engine = services().engine
    each = (
        of.last_start(engine, key, busy_timeout_ms=BUSY_TIMEOUT_MS) for of in (minute_bars, five_minute_bars)
    )
    return not made_of_fives(minutes) and [last is None for last in each] == [True, False]


def kinds_of(key: str, starts: Sequence[int]) -> list[str]:
    """Return the phase of the market in which each bar starts, see `core.market.kinds`."""
    return kinds.kinds(services().calendar(), split_key(key)[0], starts)


def latest(
    key: str, minutes: int, limit: int, until: datetime, only: Collection[str] = kinds.ALL
) -> BarColumns:
    """Return up to `limit` bars that start before `until`, the newest ones, oldest first.

    Args:
        only: the phases of the market whose bars are wanted.
    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    days = reversed(_days(key, minutes, 0, until))
    parts = _read(key, days, minutes, limit, only, (0, until.timestamp()))
    found = chained(reversed(parts))
    return found.part(max(0, len(found.starts) - limit), len(found.starts))


def following(
    key: str, minutes: int, limit: int, since: datetime, until: datetime, only: Collection[str] = kinds.ALL
) -> BarColumns:
    """Return up to `limit` bars that start in `[since, until)`, the oldest ones.

    Args:
        only: as of `latest`.
    Raises:
        DatabaseError: as `latest`.
    """
    start = since.timestamp()
    days = iter(_days(key, minutes, midnight_of(int(start)), until))
    return chained(_read(key, days, minutes, limit, only, (start, until.timestamp()))).part(0, limit)


def kept_days(minutes: int) -> int:
    """Return for how many days bars of so many minutes are kept."""
    return services().longer_bars_days if made_of_fives(minutes) else services().bars_days


def _days(key: str, minutes: int, first: int, until: datetime) -> list[BarDay]:
    fives, end = made_of_fives(minutes), math.ceil(until.timestamp())
    return bar_days.fetch(services().engine, key, first, end, fives=fives, busy_timeout_ms=BUSY_TIMEOUT_MS)


def _read(
    key: str,
    days: Iterator[BarDay],
    minutes: int,
    limit: int,
    only: Collection[str],
    between: tuple[float, float],
) -> list[BarColumns]:
    """Return the bars of days in their order, a part a read, until these are `limit` or no day is left."""
    parts: list[BarColumns] = []
    count = sessions = 0
    while count < limit:
        # At least twice as many as before: few trades make few bars of a session.
        sessions = max(2 * sessions, math.ceil((limit - count) * minutes / _SESSION_MINUTES))
        some = _next(days, sessions)
        if not some:
            break
        parts.append(_of_days(key, sorted(some), minutes, only).between(*between))
        count += len(parts[-1].starts)
    return parts


def _next(days: Iterator[BarDay], most: int) -> list[BarDay]:
    """Return the next days of one read, at most so many."""
    part: list[BarDay] = []
    cost = 0
    for day in days:
        part.append(day)
        cost += FIVE if day.ones else 1
        if len(part) >= most or cost >= _READ_AT_ONCE:
            break
    return part


def _of_days(key: str, days: Sequence[BarDay], minutes: int, only: Collection[str]) -> BarColumns:
    """Return the bars of days, at least one, in order."""
    windows = [window for day in days for window in windows_of(key, date_of(day.midnight), only)]
    if not windows:
        return NONE
    fives, ones = any(day.fives for day in days), any(day.ones for day in days)
    stored = _stored(key, windows, minutes, fives=fives, ones=ones)
    return columns.rolled_up(stored, minutes, windows)


def _stored(
    key: str, windows: Sequence[tuple[int, int]], minutes: int, *, fives: bool, ones: bool = True
) -> BarColumns:
    """Return stored bars from the first window to the last one, for `rolled_up` into `minutes`."""
    engine, first, until = services().engine, windows[0][0], windows[-1][1]
    found = (
        minute_bars.fetch_columns(engine, key, first, until, busy_timeout_ms=BUSY_TIMEOUT_MS)
        if ones
        else NONE
    )
    if not fives or not made_of_fives(minutes):
        return found
    older = five_minute_bars.fetch_columns(engine, key, first, until, busy_timeout_ms=BUSY_TIMEOUT_MS)
    return both_parts(older, found, windows)


def forming_from(key: str, minutes: int, now: datetime) -> float:
    """Return the start of the bar that is not over yet, infinite outside of the trading hours.

    It has the minutes that are stored so far. A bar of one minute is stored when it is over.
    """
    at = now.timestamp() - _STORED_WITHIN_S
    for window in services().calendar().windows(split_key(key)[0], now.astimezone(IST).date()):
        if minutes > 1 and window.start <= at < window.end:
            length = minutes * MINUTE_S
            return window.start + (at - window.start) // length * length
    return float("inf")


def newest_sessions(
    key: str,
    minutes: int,
    sessions: int,
    warm_up: int,
    only: Collection[str] = kinds.ALL,
    recent: Sequence[Bar] = (),
) -> Stretch:
    """Return the bars of the newest session that has any and of the ones before it, `sessions` in all.

    Fewer where their trading windows exceed `_MOST_MINUTES`. Four queries at most, however many sessions.

    Args:
        warm_up: how many earlier bars to add, so that averages have values from the first bar asked for.
        only: as of `latest`.
        recent: one-minute bars of the worker, which may be newer than the stored ones.
    Raises:
        DatabaseError: as `latest`.
    """
    # Imported minutes of years ago may be the only ones beside newer five-minute bars.
    each = [minute_bars, five_minute_bars] if made_of_fives(minutes) else [minute_bars]
    lasts = [of.last_start(services().engine, key, busy_timeout_ms=BUSY_TIMEOUT_MS) for of in each]
    starts = [last for last in lasts if last is not None] + [bar.start for bar in recent[-1:]]
    if not starts:
        return Stretch([], 0)
    windows, first = _windows_back(key, max(starts), only, sessions, warm_up * minutes)
    if not windows:
        return Stretch([], 0)  # the newest bar is of a day that the calendar no longer has as a session
    stored = _stored(key, windows, minutes, fives=True)
    found = rolled_up(continued(stored.bars(), recent), minutes, windows)
    return Stretch(found, sum(bar.start < first for bar in found))


def windows_of(key: str, day: date, only: Collection[str]) -> list[tuple[int, int]]:
    """Return the trading windows of a day in these phases: first second, and the second after the last."""
    windows = services().calendar().windows(split_key(key)[0], day)
    return [(window.start, window.end) for window in windows if window.phase in only]


def _windows_back(
    key: str, last: int, only: Collection[str], sessions: int, warm_up: int
) -> tuple[list[tuple[int, int]], int]:
    """Return trading windows up to the one of the bar that starts at `last`, in order, and the start of the
    first one asked for.

    Args:
        only: the phases of the windows.
        warm_up: minutes of earlier windows to add.
    """
    newest = datetime.fromtimestamp(last, IST).date()
    days = (
        # A window of the day that has no bar yet is none of a session with bars: before the open the newest
        # session is the one before.
        [each for each in windows_of(key, newest - timedelta(days=back), only) if each[0] <= last]
        for back in range(_DAYS_BACK)
    )
    found: list[tuple[int, int]] = []
    first, room = 0, _MOST_MINUTES
    for windows in filter(None, days):
        length = sum(end - start for start, end in windows) // MINUTE_S
        if length > room or (sessions <= 0 and warm_up <= 0):
            break
        found[:0] = windows
        room -= length
        if sessions > 0:
            first = windows[0][0]
        else:
            warm_up -= length
        sessions -= 1
    return found, first
