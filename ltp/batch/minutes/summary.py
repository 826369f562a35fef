"""What is stored, counted for the pages: by session, then by instrument.

Reading and checking a block costs a sixth of counting its bars, so only blocks that differ from those that were
counted last are counted again. 2,500 instruments of 60 sessions: see docs/bars.md.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from ltp.batch.progress import Progress
from ltp.core.bars import missing_sessions
from ltp.core.bars.bar import BROKER, FILE, LIVE, MINUTE_S
from ltp.core.bars.block import count_sources, unpacked
from ltp.core.history.candle import day_number, day_of
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db.engine import Engine, reading, writing
from ltp.db.history import sessions, summary
from ltp.db.history.sessions import Session
from ltp.db.history.summary import MINUTES, Stored

NAMED_DAYS: Final = 8
_KEYS_AT_ONCE: Final = 40  # of 60 sessions: 13 MB
_WEEKDAYS: Final = 5
_USUAL_MINUTES: Final = 375


class Summary(NamedTuple):
    """`instruments`: with bars. `counted`: sessions of them that had changed."""

    instruments: int
    counted: int


def sessions_over(calendar: Calendar, segment: str, first: date, now: datetime) -> dict[int, int]:
    """Return the sessions from `first` on that are over at `now`, with their minutes of continuous trading,
    by day since 1970.

    Years before the calendar's tables are left out, because their holidays are unknown. The simulated exchange
    trades round the clock and has a history of weekdays only, of the usual hours.
    """
    simulated = calendar == Calendar.always_open()
    unknown: dict[int, bool] = {}
    found = {}
    for each in range((now.astimezone(IST).date() - first).days + 1):
        day = first + timedelta(days=each)
        if day.year not in unknown:
            unknown[day.year] = not simulated and calendar.is_session(segment, _sunday(day.year))
        windows = calendar.windows(segment, day)
        if unknown[day.year] or not windows or windows[-1].end > now.timestamp():
            continue
        if simulated and day.weekday() >= _WEEKDAYS:
            continue
        minutes = sum(each.end - each.start for each in windows if each.phase == "continuous") // MINUTE_S
        found[day_number(day)] = _USUAL_MINUTES if simulated else minutes
    return found


def _sunday(year: int) -> date:
    """Return a Sunday that is never a session: a calendar that has it as one does not know the year."""
    first = date(year, 1, 1)
    return first + timedelta(days=6 - first.weekday())


def summarize_minutes(
    engine: Engine,
    calendar: Calendar,
    *,
    now: datetime,
    keys: Collection[str] | None = None,
    kept_from: date = date.min,
    progress: Progress = lambda *_: None,
) -> Summary:
    """Count the bars of changed sessions, and store what there is of each instrument.

    Args:
        now: aware; sessions that are on then are not missing yet.
        keys: these only; None: all, also those whose bars are gone.
        kept_from: the oldest day whose one-minute bars are kept. Sessions before it are not missing.
    Raises:
        DatabaseError: part of it may be done; the rest is for the next time.
    """
    named = sessions.stored_keys(engine) if keys is None else sorted(set(keys))
    found = Summary(0, 0)
    over = SessionsOver(calendar, now, kept_from=kept_from)
    for begin in range(0, len(named), _KEYS_AT_ONCE):
        progress("counting", begin, len(named))
        some = _summarize(engine, over, named[begin : begin + _KEYS_AT_ONCE])
        found = Summary(found.instruments + some.instruments, found.counted + some.counted)
    progress("counting", len(named), len(named))
    return found


class SessionsOver:
    """`sessions_over`, kept for all instruments of a summary. No session after `last` counts, and none before
    `kept_from`.
    """

    def __init__(
        self, calendar: Calendar, now: datetime, last: date = date.max, kept_from: date = date.min
    ) -> None:
        self._calendar, self.now, self._last = calendar, now, day_number(last)
        self._kept_from = day_number(kept_from)
        self._sessions: dict[str, tuple[int, dict[int, int]]] = {}

    def since(self, segment: str, first: int) -> dict[int, int]:
        """Return the sessions since the day `first`, or an earlier one that another instrument asked for."""
        first = max(first, self._kept_from)
        since, found = self._sessions.get(segment, (sys.maxsize, {}))
        if first < since:
            every = sessions_over(self._calendar, segment, day_of(first), self.now)
            found = {day: minutes for day, minutes in every.items() if day <= self._last}
            self._sessions[segment] = first, found
        return found


def _summarize(engine: Engine, over: SessionsOver, keys: Sequence[str]) -> Summary:
    with reading(engine) as connection:
        blocks = sessions.blocks_in(connection, keys)
        known = sessions.counted_in(connection, keys)
        settled = sessions.settled_in(connection, keys)
    changed: dict[tuple[str, int], Session] = {}
    gone: list[tuple[str, int]] = []
    rows = []
    for key in keys:
        days, before = blocks.get(key, {}), known.get(key, {})
        gone += [(key, day) for day in before if day not in days]
        counted = {day: _counted(each, before.get(day)) for day, each in days.items()}
        changed |= {(key, day): each for day, each in counted.items() if each is not before.get(day)}
        if counted:
            rows.append(_stored(key, counted, over, settled.get(key, ())))
    with writing(engine) as connection:
        sessions.write(connection, changed, gone)
        summary.write_in(connection, rows)
        summary.delete_in(connection, MINUTES, [key for key in keys if key not in blocks])
    return Summary(len(rows), len(changed))


def _counted(blocks: Sequence[tuple[int, bytes]], known: Session | None) -> Session:
    """Return the counts of a session's blocks, those known where the blocks are the same."""
    crc = 0
    for start, packed in blocks:
        crc = zlib.crc32(packed, zlib.crc32(start.to_bytes(8, "little"), crc))
    if known is not None and known.crc == crc:
        return known
    if len(blocks) == 1:
        sources: Mapping[int, int] = count_sources(blocks[0][1])
    else:  # a minute may lie in two of them, and counts once
        by_minute = {bar.start: bar.sources for start, packed in blocks for bar in unpacked(packed, start)}
        every = list(by_minute.values())
        sources = {source: every.count(source) for source in (LIVE, BROKER, FILE)}
    size = sum(len(packed) for _, packed in blocks)
    return Session(sources.get(LIVE, 0), sources.get(BROKER, 0), sources.get(FILE, 0), size, crc)


def _stored(key: str, days: Mapping[int, Session], over: SessionsOver, settled: Collection[int]) -> Stored:
    expected = over.since(split_key(key)[0], min(days))
    found = missing_sessions.find(
        {day: each.bars for day, each in days.items() if each.bars}, expected, settled
    )
    live, broker, file, size, _ = (sum(column) for column in zip(*days.values(), strict=True))
    return Stored(
        key,
        MINUTES,
        day_of(min(days)),
        day_of(max(days)),
        found.expected,
        len(found.missing),
        len(found.thin),
        missing_sessions.in_words(found.days, list(expected), NAMED_DAYS),
        live + broker + file,
        live,
        broker,
        file,
        0,
        size,
        over.now,
    )
