"""The tables of bars by month on PostgreSQL, so that old months go by dropping a table. SQLite has no partitions.

A partition is made and dropped by a transaction that holds the source of the bars (`db.candle_source`), as every
writer of bars does: so two never make the same one, and none is dropped under a writer. Months are India's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, Table, func, select, text

from ltp.core.trading_day import date_of, day_start, days_since_1970
from ltp.db import candle_source
from ltp.db.engine import writing
from ltp.db.schema import kept_sessions

_POSTGRESQL: Final = "postgresql"
_NAME: Final = re.compile(r"_(\d{4})_(\d{2})")
# A drop waits for readers, and new readers wait for the drop.
_LOCK_TIMEOUT_MS: Final = 2_000


class Partition(NamedTuple):
    """`first`, `until`: the bounds of its starts, seconds since the epoch, `until` excluded."""

    name: str
    first: int
    until: int


def of_month(table: Table, month: date) -> Partition:
    """Return the partition of a month that is named by any of its days."""
    first = month.replace(day=1)
    return Partition(f"{table.name}_{first:%Y_%m}", day_start(first), day_start(_next(first)))


def ensure(connection: Connection, table: Table, starts: Iterable[int]) -> None:
    """Make the missing partitions for blocks with these starts.

    The caller's transaction holds the source.
    """
    if connection.dialect.name != _POSTGRESQL:
        return
    for month in sorted({date_of(start).replace(day=1) for start in starts}):
        name, first, until = of_month(table, month)
        if connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar() is None:
            # Attached, because a table that is created as a partition would have every reader wait.
            connection.execute(text(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING DEFAULTS)"))
            connection.execute(
                text(
                    f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({until})"
                )
            )


def make_ahead(engine: Engine, table: Table, now: int) -> None:
    """Make the partitions of the month of an instant and of the next one."""
    if engine.dialect.name != _POSTGRESQL:
        return
    month = date_of(now).replace(day=1)
    with writing(engine) as connection:
        candle_source.hold(connection)
        ensure(connection, table, [day_start(month), day_start(_next(month))])


def drop(engine: Engine, table: Table, before: int, *, only_empty: bool = False) -> int:
    """Drop the partitions that end at `before` or earlier, each in a transaction of its own. One with a session
    that is kept whatever its age stays.

    Args:
        before: seconds since the epoch.
        only_empty: leave those that have a block.
    Returns:
        How many blocks they had.
    Raises:
        DatabaseError: also where readers hold a partition for two seconds.
    """
    if engine.dialect.name != _POSTGRESQL:
        return 0
    with writing(engine) as connection:
        old = [each for each in _existing(connection, table) if each.until <= before]
    return sum(_drop(engine, table, each, only_empty=only_empty) for each in old)


def _drop(engine: Engine, table: Table, each: Partition, *, only_empty: bool) -> int:
    with writing(engine) as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}"))
        candle_source.hold(connection)
        if each not in _existing(connection, table) or _has_kept(connection, each):
            return 0
        blocks = connection.execute(
            select(func.count())
            .select_from(table)
            .where(table.c.start >= each.first, table.c.start < each.until)
        ).scalar_one()
        if only_empty and blocks:
            return 0
        connection.execute(text(f"DROP TABLE {each.name}"))
        return int(blocks)


def _has_kept(connection: Connection, each: Partition) -> bool:
    day = kept_sessions.c.day
    first, last = days_since_1970(each.first), days_since_1970(each.until - 1)
    return connection.execute(select(day).where(day >= first, day <= last).limit(1)).first() is not None


def _existing(connection: Connection, table: Table) -> list[Partition]:
    """Return the partitions of a table, oldest first."""
    names = connection.execute(
        text("SELECT relid::regclass::text FROM pg_partition_tree(CAST(:name AS regclass)) WHERE isleaf"),
        {"name": table.name},
    ).scalars()
    months = [_NAME.fullmatch(name.removeprefix(table.name)) for name in sorted(names)]
    return [of_month(table, date(int(each[1]), int(each[2]), 1)) for each in months if each]


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
