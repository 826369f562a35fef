"""Sessions whose one-minute bars are kept whatever their age: an operator imported them as history."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, delete, select

from ltp.core.trading_day import days_since_1970
from ltp.db import on_conflict
from ltp.db.engine import reading, writing
from ltp.db.schema import kept_sessions as table


def add(connection: Connection, midnights: Iterable[int]) -> None:
    """Keep the sessions of days that start at these seconds since the epoch, in the caller's transaction."""
    rows = [{"day": days_since_1970(at)} for at in midnights]
    if rows:
        insert = on_conflict.insert(connection, table)
        connection.execute(insert.on_conflict_do_nothing(), rows)


def fetch(engine: Engine) -> list[int]:
    """Return the kept days, counted since 1970 in India, oldest first."""
    with reading(engine) as connection:
        return sorted(of(connection))


def of(connection: Connection) -> set[int]:
    """Return the kept days as of the caller's transaction."""
    return set(connection.execute(select(table.c.day)).scalars())


def forget(engine: Engine) -> int:
    """Keep none any longer; return how many there were."""
    with writing(engine) as connection:
        return connection.execute(delete(table)).rowcount
