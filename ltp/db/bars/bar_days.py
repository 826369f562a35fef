"""The days of an instrument that have bars of minutes, and whether these are of one minute or of five."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Engine, Integer, Select, func, literal, select, union_all

from ltp.db.bars import bar_blocks
from ltp.db.engine import BUSY_TIMEOUT_MS, reading
from ltp.db.schema import five_minute_bars, minute_bars


class BarDay(NamedTuple):
    """`midnight`: the start of the day in India, seconds since the epoch. A day may have bars of both lengths for
    the time between the making of five-minute bars and the deletion of the others.
    """

    midnight: int
    ones: bool
    fives: bool


def fetch(
    engine: Engine,
    key: str,
    first: int,
    until: int,
    *,
    fives: bool,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> list[BarDay]:
    """Return the days with blocks that start in `[first, until)`, oldest first.

    Args:
        fives: look for five-minute bars too.
    """
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(_days(fives), bar_blocks.place_of(key, first, until)).all()
    return [BarDay(bar_blocks.midnight(day), bool(bits & 1), bool(bits & 2)) for day, bits in rows]


@cache  # it takes longer to build than to execute
def _days(fives: bool) -> Select[Any]:
    tables = [(minute_bars, 1), (five_minute_bars, 2)][: 1 + fives]
    each = [
        select(bar_blocks.day_of(table), literal(bit, Integer).label("bit"))
        .where(bar_blocks.between(table))
        .distinct()
        for table, bit in tables
    ]
    found = union_all(*each).subquery()
    return select(found.c.day, func.sum(found.c.bit)).group_by(found.c.day).order_by(found.c.day)
