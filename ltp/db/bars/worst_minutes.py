"""The minutes of each session whose bars built here differed most from the broker's, with both bars."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Engine, delete, select, tuple_

from ltp.core.bars.bar import Bar
from ltp.core.bars.block import packed, unpacked
from ltp.core.bars.comparison import Difference
from ltp.core.instrument import split_key
from ltp.db import on_conflict
from ltp.db.bars.tables import audit_minutes as table
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing

MOST: Final = 20  # of a session, of all instruments
_KEY: Final = ("day", "segment", "security_id", "start")
_WORST_FIRST: Final = (
    table.c.price_ppm.desc(),
    table.c.volume_ppm.desc(),
    table.c.segment,
    table.c.security_id,
    table.c.start,
)


class WorstMinute(NamedTuple):
    """`own`: the bar built here, which the broker's replaced."""

    key: str
    own: Bar
    broker: Bar


def keep(engine: Engine, key: str, day: date, found: Collection[Difference]) -> None:
    """Add an instrument's minutes to those of its session; the worst of all instruments stay.

    Raises:
        DatabaseError: nothing is added.
    """
    if not found:
        return
    segment, security_id = split_key(key)
    rows = [
        {
            "day": day,
            "segment": segment,
            "security_id": security_id,
            "start": own.start,
            "price_ppm": price_ppm,
            "volume_ppm": volume_ppm,
            "packed": packed([own, other], own.start),
        }
        for own, other, price_ppm, volume_ppm in found
    ]
    place = [table.c[name] for name in _KEY[1:]]
    kept = select(*place).where(table.c.day == day).order_by(*_WORST_FIRST).limit(MOST)
    with writing(engine) as connection:
        insert = on_conflict.insert(connection, table)
        values = {name: insert.excluded[name] for name in ("price_ppm", "volume_ppm", "packed")}
        connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=values), rows)
        connection.execute(delete(table).where(table.c.day == day, tuple_(*place).not_in(kept)))


def fetch(engine: Engine, day: date, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[WorstMinute]:
    """Return the worst minutes of a session, the worst first."""
    wanted = select(table).where(table.c.day == day).order_by(*_WORST_FIRST)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(wanted).all()
    return [
        WorstMinute(f"{row.segment}:{row.security_id}", *bars)
        for row in rows
        if len(bars := unpacked(bytes(row.packed), row.start)) == 2
    ]


def delete_before(engine: Engine, day: date) -> None:
    """Delete the minutes of sessions before a day."""
    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.day < day))
