"""Intraday bars of one instrument for a page or the API: from SQL, rolled up within each session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.forming import continued
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import split_key
from ltp.core.trading_day import IST
from ltp.db import minute_bars
from ltp.web.services import services

BUSY_TIMEOUT_MS: Final = 50  # SQLite waits inside C, where the streams of the process wait too
_DAYS_AT_ONCE: Final = 10  # of one read
_STORED_WITHIN_S: Final = 10.0  # after its end
# Of one chart: 20 sessions of the longest trading day, some 25 ms of CPU in which the streams wait.
_MOST_MINUTES: Final = 18_000
_DAYS_BACK: Final = 90  # searched for its sessions


class Stretch(NamedTuple):
    """Bars of successive sessions, oldest first; the first `earlier` are before the sessions asked for."""

    bars: list[Bar]
    earlier: int


def of_days(key: str, first: date, last: date, minutes: int) -> list[Bar]:
    """Return the bars of the sessions from `first` to `last`, both included, oldest first.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    shared = services()
    calendar, segment = shared.calendar(), split_key(key)[0]
    days = (first + timedelta(days=each) for each in range((last - first).days + 1))
    windows = [(window.start, window.end) for day in days for window in calendar.windows(segment, day)]
    if not windows:
        return []
    found = minute_bars.fetch(
        shared.engine, key, windows[0][0], windows[-1][1], busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    return list(rolled_up(found, minutes, windows))


def latest(key: str, minutes: int, limit: int, until: datetime) -> list[Bar]:
    """Return up to `limit` bars that start before `until`, the newest ones, oldest first.

    Raises:
        DatabaseError: as `of_days`.
    """
    found: list[list[Bar]] = []
    count, end = 0, until.timestamp()
    last = until.astimezone(IST).date()
    oldest = last - timedelta(days=services().bars_days)
    while count < limit and last >= oldest:
        first = max(oldest, last - timedelta(days=_DAYS_AT_ONCE - 1))
        bars = [bar for bar in of_days(key, first, last, minutes) if bar.start < end]
        found.append(bars)
        count += len(bars)
        last = first - timedelta(days=1)
    return list(chain.from_iterable(reversed(found)))[-limit:]


def following(key: str, minutes: int, since: datetime, until: datetime) -> Iterator[Bar]:
    """Yield the bars that start in `[since, until)` and are kept, oldest first.

    Raises:
        DatabaseError: as `of_days`.
    """
    start, end = since.timestamp(), until.timestamp()
    oldest = datetime.now(IST).date() - timedelta(days=services().bars_days)
    first, end_day = max(oldest, since.astimezone(IST).date()), until.astimezone(IST).date()
    while first <= end_day:
        last = min(end_day, first + timedelta(days=_DAYS_AT_ONCE - 1))
        yield from (bar for bar in of_days(key, first, last, minutes) if start <= bar.start < end)
        first = last + timedelta(days=1)


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
    key: str, minutes: int, sessions: int, warm_up: int, recent: Sequence[Bar] = ()
) -> Stretch:
    """Return the bars of the newest session that has any and of the ones before it, `sessions` in all.

    Fewer where their trading windows exceed `_MOST_MINUTES`. Two queries, however many sessions.

    Args:
        warm_up: how many earlier bars to add, so that averages have values from the first bar asked for.
        recent: one-minute bars of the worker, which may be newer than the stored ones.
    Raises:
        DatabaseError: as `of_days`.
    """
    engine = services().engine
    stored = minute_bars.last_start(engine, key, busy_timeout_ms=BUSY_TIMEOUT_MS)
    last = max([bar.start for bar in recent[-1:]] + [stored or 0])
    if not last:
        return Stretch([], 0)
    windows, first = _windows_back(key, datetime.fromtimestamp(last, IST).date(), sessions, warm_up * minutes)
    if not windows:
        return Stretch([], 0)  # the newest bar is of a day that the calendar no longer has as a session
    minute = minute_bars.fetch(engine, key, windows[0][0], windows[-1][1], busy_timeout_ms=BUSY_TIMEOUT_MS)
    found = list(rolled_up(continued(minute, recent), minutes, windows))
    return Stretch(found, sum(bar.start < first for bar in found))


def _windows_back(key: str, last: date, sessions: int, warm_up: int) -> tuple[list[tuple[int, int]], int]:
    """Return trading windows up to the day `last`, in order, and the start of the first one asked for.

    Args:
        warm_up: minutes of earlier windows to add.
    """
    calendar, segment = services().calendar(), split_key(key)[0]
    days = (calendar.windows(segment, last - timedelta(days=back)) for back in range(_DAYS_BACK))
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
