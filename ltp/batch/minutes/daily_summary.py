"""What daily candles are stored, counted for the pages as `summary` counts one-minute bars."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from ltp.batch.minutes.summary import NAMED_DAYS, SessionsOver
from ltp.core.bars import missing_sessions
from ltp.core.history.candle import RECORD, day_of
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import settled_day
from ltp.db import candles
from ltp.db.engine import Engine, reading, writing
from ltp.db.history import summary
from ltp.db.history.summary import DAYS, Stored

_KEYS_AT_ONCE: Final = 100


def summarize_days(
    engine: Engine, calendar: Calendar, *, now: datetime, keys: Collection[str] | None = None
) -> int:
    """Count the candles of each instrument and store what there is. Returns the number of instruments.

    A day counts once, whether it is stored as traded, restated, or both.

    Args:
        now: aware; sessions whose candles are not settled then are not missing yet.
        keys: these only; None: all, also those whose candles are gone.
    Raises:
        DatabaseError: part of it may be done; the rest is for the next time.
    """
    if keys is None:
        with reading(engine) as connection:
            before = summary.keys_in(connection, DAYS)
        named = sorted(before.union(*(candles.last_days(engine, basis) for basis in candles.BASES)))
    else:
        named = sorted(set(keys))
    over = SessionsOver(calendar, now, settled_day(now))
    found = 0
    for begin in range(0, len(named), _KEYS_AT_ONCE):
        some = named[begin : begin + _KEYS_AT_ONCE]
        raw, adjusted = (
            candles.fetch_packed(engine, basis, some, date.min, date.max) for basis in candles.BASES
        )
        rows = [
            _stored(key, raw.get(key, b""), adjusted.get(key, b""), over)
            for key in some
            if key in raw or key in adjusted
        ]
        with writing(engine) as connection:
            summary.write_in(connection, rows)
            summary.delete_in(
                connection, DAYS, [key for key in some if key not in raw.keys() | adjusted.keys()]
            )
        found += len(rows)
    return found


def _stored(key: str, raw: bytes, adjusted: bytes, over: SessionsOver) -> Stored:
    numbers = _numbers(raw) | _numbers(adjusted)
    first, last = min(numbers), max(numbers)
    expected = over.since(split_key(key)[0], first)
    # One candle is all of a session.
    found = missing_sessions.find(dict.fromkeys(numbers, 1), dict.fromkeys(expected, 1))
    official, broker = len(raw) // RECORD.size, len(adjusted) // RECORD.size
    return Stored(
        key,
        DAYS,
        day_of(first),
        day_of(last),
        found.expected,
        len(found.missing),
        len(found.thin),
        missing_sessions.in_words(found.days, list(expected), NAMED_DAYS),
        official + broker,
        0,
        broker,
        0,
        official,
        len(raw) + len(adjusted),
        over.now,
    )


def _numbers(records: bytes) -> set[int]:
    """Return the days of records as numbers since 1970; half a record at the end does not count."""
    return {number for number, *_ in RECORD.iter_unpack(records[: len(records) // RECORD.size * RECORD.size])}
