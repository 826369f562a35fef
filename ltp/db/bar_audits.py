"""One-minute bars built here compared with the broker's, by instrument and session; and which sessions the
broker's bars were fetched of after their end.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from ltp.core.bars.comparison import Comparison
from ltp.core.instrument import split_key
from ltp.db.engine import reading, writing
from ltp.db.schema import bar_audits as table


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
        insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
        sums: dict[str, Any] = {name: table.c[name] + insert.excluded[name] for name in Comparison._fields}
        sums["is_final"] = or_(table.c.is_final, insert.excluded.is_final)
        connection.execute(
            insert.on_conflict_do_update(index_elements=("segment", "security_id", "day"), set_=sums), rows
        )


def final_days(engine: Engine, key: str, first: date, last: date) -> set[date]:
    """Return the sessions from `first` to `last` of which the broker's bars were fetched after their end."""
    segment, security_id = split_key(key)
    wanted = select(table.c.day).where(
        table.c.segment == segment,
        table.c.security_id == security_id,
        table.c.day.between(first, last),
        table.c.is_final,
    )
    with reading(engine) as connection:
        return set(connection.execute(wanted).scalars())


def of_day(engine: Engine, day: date) -> Comparison:
    """Return the sum of all instruments' comparisons of a session."""
    sums = select(*(func.coalesce(func.sum(table.c[name]), 0) for name in Comparison._fields))
    with reading(engine) as connection:
        return Comparison(*map(int, connection.execute(sums.where(table.c.day == day)).one()))
