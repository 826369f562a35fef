"""The upkeep of one-minute bars: sessions that are over packed into one block each, old ones deleted.

Each transaction is small, so the worker that stores today's bars never waits for long.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from ltp.core.trading_day import IST
from ltp.db import minute_bars
from ltp.db.engine import Engine

DAY_S = 86_400


class Upkeep(NamedTuple):
    """`packed`: sessions of instruments. `deleted`: blocks."""

    packed: int
    deleted: int


def keep_up(engine: Engine, today: date, days: int) -> Upkeep:
    """Pack the sessions before `today`, and delete blocks that start more than `days` days before it.

    Raises:
        DatabaseError: part of it may be done; the rest is for the next time.
    """
    deleted = delete_before(engine, today - timedelta(days=days))
    loose = minute_bars.loose_sessions(engine, _midnight(today))
    for key, first in loose:
        minute_bars.pack(engine, key, first, first + DAY_S)
    return Upkeep(len(loose), deleted)


def delete_before(engine: Engine, day: date) -> int:
    """Delete the blocks that start before a day; return their number."""
    deleted = 0
    while part := minute_bars.prune(engine, _midnight(day)):
        deleted += part
    return deleted


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), IST).timestamp())
