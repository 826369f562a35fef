"""Intraday bars of one instrument for a page or the API: from SQL, rolled up within each session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final

from ltp.core.bars.bar import Bar
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import split_key
from ltp.core.trading_day import IST
from ltp.db import minute_bars
from ltp.web.services import services

BUSY_TIMEOUT_MS: Final = 50  # SQLite waits inside C, where the streams of the process wait too
_DAYS_AT_ONCE: Final = 10  # of one read


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
