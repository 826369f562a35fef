"""What the tables of bars have in common: rows of instrument, start and a block of `core.bars.block`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Select, Table, bindparam, delete, func, select, tuple_

from ltp.core.bars.block import unpacked, unpacked_together
from ltp.core.bars.columns import BarColumns
from ltp.core.instrument import split_key
from ltp.core.trading_day import DAY_S, IST_OFFSET_S
from ltp.db import on_conflict
from ltp.db.bars import partitions
from ltp.db.engine import reading, writing
from ltp.db.schema import kept_sessions

KEY: Final = ("segment", "security_id", "start")
_READ: Final = 500  # blocks of one query that reads all: some 3 MB


class Block(NamedTuple):
    """A stored block. `start`: seconds since the epoch."""

    key: str
    start: int
    packed: bytes


def day_of(table: Table) -> Any:
    """Return the column of the day of a block, as core.trading_day.days_since_1970."""
    return ((table.c.start + IST_OFFSET_S) // DAY_S).label("day")


def midnight(day: int) -> int:
    return int(day) * DAY_S - IST_OFFSET_S


def of(table: Table, key: str) -> Any:
    segment, security_id = split_key(key)
    return (table.c.segment == segment) & (table.c.security_id == security_id)


def in_day(table: Table, at: int) -> Any:
    """Return whether a block is of the day that starts at `at`."""
    return (table.c.start >= at) & (table.c.start < at + DAY_S)


def in_order(blocks: Iterable[Any]) -> BarColumns:
    """Return the bars of rows (start, packed) by start. Bars that came after a session was packed lie in a block
    of their own, which starts later and counts.
    """
    return unpacked_together((bytes(block), start) for start, block in blocks)


def between(table: Table) -> Any:
    """Return whether a block is of the instrument and the time that are passed as `place_of` has them."""
    return (
        (table.c.segment == bindparam("segment"))
        & (table.c.security_id == bindparam("security_id"))
        & (table.c.start >= bindparam("first"))
        & (table.c.start < bindparam("until"))
    )


def place_of(key: str, first: int, until: int) -> dict[str, Any]:
    """Return the parameters of `between`: blocks of an instrument that start in `[first, until)`."""
    segment, security_id = split_key(key)
    return {"segment": segment, "security_id": security_id, "first": first, "until": until}


@cache  # SQLAlchemy takes longer to build a statement than SQLite to execute it
def _between(table: Table) -> Select[Any]:
    return select(table.c.start, table.c.packed).where(between(table)).order_by(table.c.start)


def row(key: str, start: int, block: bytes) -> dict[str, Any]:
    segment, security_id = split_key(key)
    return {"segment": segment, "security_id": security_id, "start": start, "packed": block}


def write(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or replace those of the same instrument and start."""
    insert = on_conflict.insert(connection, table)
    connection.execute(
        insert.on_conflict_do_update(index_elements=KEY, set_={"packed": insert.excluded.packed}), rows
    )


def is_kept(table: Table) -> Any:
    """Return whether a block is of a session that is kept whatever its age, see `db.bars.kept_sessions`."""
    return day_of(table).in_(select(kept_sessions.c.day))


def prune(engine: Engine, table: Table, before: int, *, most: int) -> int:
    """Delete up to `most` blocks that start before `before`, but not those of kept sessions, and all blocks of
    partitions that end before; return how many.
    """
    dropped = partitions.drop(engine, table, before)
    place = [table.c[name] for name in KEY]
    old = select(*place).where(table.c.start < before, ~is_kept(table)).limit(most)
    with writing(engine) as connection:
        return dropped + connection.execute(delete(table).where(tuple_(*place).in_(old))).rowcount


def fetch(
    engine: Engine, table: Table, key: str, first: int, until: int, *, busy_timeout_ms: int
) -> BarColumns:
    """Return the bars of an instrument that start in `[first, until)`, seconds since the epoch, oldest first."""
    # A block of a whole session starts up to a day before the time asked for.
    place = place_of(key, first - DAY_S, until)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        found = connection.execute(_between(table), place).all()
    return in_order(found).between(first, until)


def last_start(engine: Engine, table: Table, key: str, *, busy_timeout_ms: int) -> int | None:
    """Return the start of the newest bar of an instrument, None without any."""
    newest = (
        select(table.c.start, table.c.packed).where(of(table, key)).order_by(table.c.start.desc()).limit(1)
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        found = connection.execute(newest).first()
    bars = unpacked(bytes(found.packed), found.start) if found else []
    return bars[-1].start if bars else None


def fetch_blocks(engine: Engine, table: Table, read: int = _READ) -> Iterator[Block]:
    """Yield every block by key and start. Each few hundred are read in a transaction of their own, so that no
    writer waits for the whole.
    """
    place = [table.c[name] for name in KEY]
    statement, last = select(table).order_by(*place).limit(read), ("", 0, 0)
    while True:
        with reading(engine) as connection:
            rows = connection.execute(statement.where(tuple_(*place) > last)).all()
        for segment, security_id, start, block in rows:
            yield Block(f"{segment}:{security_id}", start, bytes(block))
        if len(rows) < read:
            return
        last = rows[-1][:3]


def count_blocks(engine: Engine, table: Table) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
