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

KEPT_DAYS: Final = 60  # calendar days of one-minute bars that the database keeps
BUSY_TIMEOUT_MS: Final = 50  # SQLite waits inside C, where the streams of the process wait too


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
