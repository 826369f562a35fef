"""Intraday bars of one instrument for a page or the API: from SQL, rolled up within each session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import split_key
from ltp.core.trading_day import IST
from ltp.db import minute_bars
from ltp.web.services import services

KEPT_DAYS: Final = 60  # calendar days of one-minute bars that the database keeps
BUSY_TIMEOUT_MS: Final = 50  # SQLite waits inside C, where the streams of the process wait too
# Of one chart: 20 sessions of the longest trading day, some 25 ms of CPU in which the streams wait.
_MOST_MINUTES: Final = 18_000


class Stretch(NamedTuple):
    """Bars of successive sessions, oldest first; the first `earlier` are before the sessions asked for."""

    bars: list[Bar]
    earlier: int


def of_session(key: str, day: date, minutes: int) -> list[Bar]:
    """Return the bars of one day, oldest first; none on a day without a session.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    shared = services()
    windows = [(window.start, window.end) for window in shared.calendar().windows(split_key(key)[0], day)]
    if not windows:
        return []
    minute = minute_bars.fetch(
        shared.engine, key, windows[0][0], windows[-1][1], busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    return list(rolled_up(minute, minutes, windows))


def latest(key: str, minutes: int, limit: int, until: datetime) -> list[Bar]:
    """Return up to `limit` bars that start before `until`, the newest ones, oldest first.

    Raises:
        DatabaseError: as `of_session`.
    """
    found: list[list[Bar]] = []
    count, last = 0, until.timestamp()
    day, first = until.astimezone(IST).date(), until.astimezone(IST).date() - timedelta(days=KEPT_DAYS)
    while count < limit and day >= first:
        bars = [bar for bar in of_session(key, day, minutes) if bar.start < last]
        found.append(bars)
        count += len(bars)
        day -= timedelta(days=1)
    return list(chain.from_iterable(reversed(found)))[-limit:]


def following(key: str, minutes: int, since: datetime, until: datetime) -> Iterator[Bar]:
    """Yield the bars that start in `[since, until)`, oldest first.

    Raises:
        DatabaseError: as `of_session`.
    """
    first, last = since.timestamp(), until.timestamp()
    day, end = since.astimezone(IST).date(), until.astimezone(IST).date()
    while day <= end:
        yield from (bar for bar in of_session(key, day, minutes) if first <= bar.start < last)
        day += timedelta(days=1)


def newest_sessions(key: str, minutes: int, sessions: int, warm_up: int) -> Stretch:
    """Return the bars of the newest session that has any and of the ones before it, `sessions` in all.

    Fewer where their trading windows exceed `_MOST_MINUTES`. Two queries, however many sessions.

    Args:
        warm_up: how many earlier bars to add, so that averages have values from the first bar asked for.
    Raises:
        DatabaseError: as `of_session`.
    """
    engine = services().engine
    last = minute_bars.last_start(engine, key, busy_timeout_ms=BUSY_TIMEOUT_MS)
    if last is None:
        return Stretch([], 0)
    windows, first = _windows_back(key, datetime.fromtimestamp(last, IST).date(), sessions, warm_up * minutes)
    if not windows:
        return Stretch([], 0)  # the newest bar is of a day that the calendar no longer has as a session
    minute = minute_bars.fetch(engine, key, windows[0][0], windows[-1][1], busy_timeout_ms=BUSY_TIMEOUT_MS)
    found = list(rolled_up(minute, minutes, windows))
    return Stretch(found, sum(bar.start < first for bar in found))


def _windows_back(key: str, last: date, sessions: int, warm_up: int) -> tuple[list[tuple[int, int]], int]:
    """Return trading windows up to the day `last`, in order, and the start of the first one asked for.

    Args:
        warm_up: minutes of earlier windows to add.
    """
    calendar, segment = services().calendar(), split_key(key)[0]
    days = (calendar.windows(segment, last - timedelta(days=back)) for back in range(KEPT_DAYS))
    found: list[tuple[int, int]] = []
    first, room = 0, _MOST_MINUTES
    for windows in filter(None, days):
        length = sum(window.end - window.start for window in windows) // MINUTE_S
        if length > room or (sessions <= 0 and warm_up <= 0):
            break
        found[:0] = [(window.start, window.end) for window in windows]
        room -= length
        if sessions > 0:
            first = windows[0].start
        else:
            warm_up -= length
        sessions -= 1
    return found, first
