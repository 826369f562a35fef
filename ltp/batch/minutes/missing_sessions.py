"""Of sessions to fetch, those that lack bars."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final

from ltp.batch.minutes.summary import SessionsOver, summarize_minutes
from ltp.core.bars import missing_sessions
from ltp.core.history.candle import day_of
from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.db.engine import Engine, reading
from ltp.db.history import sessions

_KEYS_AT_ONCE: Final = 100


def only_missing(
    engine: Engine,
    calendar: Calendar,
    days: Mapping[str, Collection[date]],
    *,
    now: datetime,
    kept_from: date = date.min,
) -> dict[str, list[date]]:
    """Return those of the days, by key, that are over and have no bar or far fewer than minutes.

    Days before the first bar of an instrument, or before `kept_from`, are none; an instrument without
    such a day is left out. The bars are counted first, so that the answer is of this moment.

    Raises:
        DatabaseError: they cannot be counted.
    """
    summarize_minutes(engine, calendar, now=now, keys=days.keys(), kept_from=kept_from)
    over = SessionsOver(calendar, now, kept_from=kept_from)
    keys, found = list(days), dict[str, list[date]]()
    for begin in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[begin : begin + _KEYS_AT_ONCE]
        with reading(engine) as connection:
            counted = sessions.counted_in(connection, some)
            settled = sessions.settled_in(connection, some)
        for key, stored in counted.items():
            bars = {day: each.bars for day, each in stored.items() if each.bars}
            if not bars:
                continue
            expected = over.since(split_key(key)[0], min(bars))
            open_days = {
                day_of(each) for each in missing_sessions.find(bars, expected, settled.get(key, ())).days
            }
            if chosen := sorted(open_days.intersection(days[key])):
                found[key] = chosen
    return {key: found[key] for key in keys if key in found}
