"""One-minute bars built here compared with the broker's, by instrument and session; and which sessions the
broker's bars were fetched of after their end.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Engine, case, delete, func, or_, select

from ltp.core.bars.comparison import VALUES, Comparison
from ltp.core.instrument import split_key
from ltp.db import on_conflict
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import bar_audits as table


class Session(NamedTuple):
    """The sums of a session. `instruments`: with at least one minute compared. `final`: the broker's bars of
    every instrument were fetched after the session.
    """

    day: date
    instruments: int
    compared: Comparison
    final: bool


class OfInstrument(NamedTuple):
    """One instrument's comparison of a session. `final`: as of `Session`."""

    key: str
    compared: Comparison
    final: bool


def add(engine: Engine, key: str, days: Collection[tuple[date, Comparison, bool]]) -> None:
    """Add comparisons to those of the same sessions: a minute is compared once, when the broker's replaces it.

    Args:
        days: day, comparison, and whether the session was over when the broker's bars were fetched.
    """
    if not days:
        return
    segment, security_id = split_key(key)
    rows: list[dict[str, Any]] = [
        {"segment": segment, "security_id": security_id, "day": day, "is_final": final, **found._asdict()}
        for day, found, final in days
    ]
    with writing(engine) as connection:
        insert = on_conflict.insert(connection, table)
        sums: dict[str, Any] = {name: table.c[name] + insert.excluded[name] for name in Comparison._fields}
        sums["is_final"] = or_(table.c.is_final, insert.excluded.is_final)
        connection.execute(
            insert.on_conflict_do_update(index_elements=("segment", "security_id", "day"), set_=sums), rows
        )


def final_days(
    engine: Engine, key: str, first: date, last: date, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> set[date]:
    """Return the sessions from `first` to `last` of which the broker's bars were fetched after their end."""
    segment, security_id = split_key(key)
    wanted = select(table.c.day).where(
        table.c.segment == segment,
        table.c.security_id == security_id,
        table.c.day.between(first, last),
        table.c.is_final,
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return set(connection.execute(wanted).scalars())


def final_keys(engine: Engine, day: date) -> set[str]:
    """Return the instruments whose bars of a session the broker's replaced after its end."""
    wanted = select(table.c.segment, table.c.security_id).where(table.c.day == day, table.c.is_final)
    with reading(engine) as connection:
        return {f"{segment}:{security_id}" for segment, security_id in connection.execute(wanted)}


def of_day(engine: Engine, day: date) -> Comparison:
    """Return the sum of all instruments' comparisons of a session."""
    sums = select(*(func.coalesce(func.sum(table.c[name]), 0) for name in Comparison._fields))
    with reading(engine) as connection:
        return Comparison(*map(int, connection.execute(sums.where(table.c.day == day)).one()))


def newest_days(engine: Engine, limit: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[date]:
    """Return the newest sessions that have comparisons, at most `limit`, the newest first."""
    wanted = select(table.c.day).distinct().order_by(table.c.day.desc()).limit(limit)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return list(connection.execute(wanted).scalars())


def sessions(
    engine: Engine, days: Collection[date], *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[Session]:
    """Return the sums of those of the days that have comparisons, the newest first."""
    wanted = (
        select(
            table.c.day,
            func.sum(case((table.c.minutes > 0, 1), else_=0)),
            func.min(case((table.c.is_final, 1), else_=0)),
            *(func.sum(table.c[name]) for name in Comparison._fields),
        )
        .where(table.c.day.in_(days))
        .group_by(table.c.day)
        .order_by(table.c.day.desc())
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return [
            Session(day, int(instruments), Comparison(*map(int, sums)), bool(final))
            for day, instruments, final, *sums in connection.execute(wanted)
        ]


def worst(
    engine: Engine, day: date, limit: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[OfInstrument]:
    """Return the instruments of a session with the least share of equal values, the worst first."""
    counts = [table.c[name] for name in Comparison._fields]
    equal = sum(counts[2 : 1 + len(VALUES)], counts[1])
    wanted = (
        select(table.c.segment, table.c.security_id, table.c.is_final, *counts)
        .where(table.c.day == day, table.c.minutes > 0)
        .order_by(equal * 1.0 / table.c.minutes, table.c.segment, table.c.security_id)
        .limit(limit)
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return [
            OfInstrument(f"{segment}:{security_id}", Comparison(*found), final)
            for segment, security_id, final, *found in connection.execute(wanted)
        ]


def delete_before(engine: Engine, day: date) -> int:
    """Delete the comparisons of sessions before a day; return their number."""
    with writing(engine) as connection:
        return connection.execute(delete(table).where(table.c.day < day)).rowcount
