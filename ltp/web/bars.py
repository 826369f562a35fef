"""Intraday bars of one instrument for a page or the API: from SQL, rolled up within each session."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.timeframe import rolled_up
from ltp.core.instrument import split_key
from ltp.core.market import kinds
from ltp.core.market.session import TradingWindow
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


def kinds_of(key: str, found: Iterable[Bar]) -> list[str]:
    """Return the phase of the market in which each bar starts, see `core.market.kinds`."""
    return kinds.kinds(services().calendar(), split_key(key)[0], (bar.start for bar in found))


def of_days(key: str, first: date, last: date, minutes: int, only: Collection[str] = kinds.ALL) -> list[Bar]:
    """Return the bars of the sessions from `first` to `last`, both included, oldest first.

    Args:
        only: the phases of the market whose bars are wanted.
    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
    """
    shared = services()
    calendar, segment = shared.calendar(), split_key(key)[0]
    days = (first + timedelta(days=each) for each in range((last - first).days + 1))
    windows = [each for day in days for each in _wanted(calendar.windows(segment, day), only)]
    if not windows:
        return []
    found = minute_bars.fetch(
        shared.engine, key, windows[0][0], windows[-1][1], busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    return list(rolled_up(found, minutes, windows))


def latest(
    key: str, minutes: int, limit: int, until: datetime, only: Collection[str] = kinds.ALL
) -> list[Bar]:
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
        bars = [bar for bar in of_days(key, first, last, minutes, only) if bar.start < end]
        found.append(bars)
        count += len(bars)
        last = first - timedelta(days=1)
    return list(chain.from_iterable(reversed(found)))[-limit:]


def following(
    key: str, minutes: int, since: datetime, until: datetime, only: Collection[str] = kinds.ALL
) -> Iterator[Bar]:
    """Yield the bars that start in `[since, until)` and are kept, oldest first.

    Raises:
        DatabaseError: as `of_days`.
    """
    start, end = since.timestamp(), until.timestamp()
    oldest = datetime.now(IST).date() - timedelta(days=services().bars_days)
    first, end_day = max(oldest, since.astimezone(IST).date()), until.astimezone(IST).date()
    while first <= end_day:
        last = min(end_day, first + timedelta(days=_DAYS_AT_ONCE - 1))
        yield from (bar for bar in of_days(key, first, last, minutes, only) if start <= bar.start < end)
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
    key: str, minutes: int, sessions: int, warm_up: int, only: Collection[str] = kinds.ALL
) -> Stretch:
    """Return the bars of the newest session that has any and of the ones before it, `sessions` in all.

    Fewer where their trading windows exceed `_MOST_MINUTES`. Two queries, however many sessions.

    Args:
        warm_up: how many earlier bars to add, so that averages have values from the first bar asked for.
        only: as of `of_days`.
    Raises:
        DatabaseError: as `of_days`.
    """
    engine = services().engine
    last = minute_bars.last_start(engine, key, busy_timeout_ms=BUSY_TIMEOUT_MS)
    if last is None:
        return Stretch([], 0)
    windows, first = _windows_back(key, last, only, sessions, warm_up * minutes)
    if not windows:
        return Stretch([], 0)  # the newest bar is of a day that the calendar no longer has as a session
    minute = minute_bars.fetch(engine, key, windows[0][0], windows[-1][1], busy_timeout_ms=BUSY_TIMEOUT_MS)
    found = list(rolled_up(minute, minutes, windows))
    return Stretch(found, sum(bar.start < first for bar in found))


def _wanted(windows: Iterable[TradingWindow], only: Collection[str]) -> list[tuple[int, int]]:
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
    calendar, segment = services().calendar(), split_key(key)[0]
    newest = datetime.fromtimestamp(last, IST).date()
    days = (
        # A window of the day that has no bar yet is none of a session with bars: before the open the newest
        # session is the one before.
        [
            each
            for each in _wanted(calendar.windows(segment, newest - timedelta(days=back)), only)
            if each[0] <= last
        ]
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
