"""Former symbols and ISINs of shares that candle files of earlier years contain.

`db.instruments` stores a former name when the master changes it. Files of years ago contain names that no
imported master ever had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final

from sqlalchemy import Connection, Engine, select, tuple_

from ltp.core.instrument import split_key
from ltp.db import on_conflict
from ltp.db.engine import reading
from ltp.db.schema import instrument_names as table

_READ: Final = 500  # rows in one statement: a few milliseconds
_ISIN: Final = re.compile("IN[A-Z0-9]{9}[0-9]", re.ASCII)


def remember(connection: Connection, last_days: Mapping[tuple[str, str], date]) -> None:
    """Store the newest day on which an instrument had a name, in the caller's transaction.

    A stored later day stays, of another instrument or from the master.

    Args:
        last_days: (key, name) to that day.
    """
    rows = []
    for (key, name), day in last_days.items():
        segment, security_id = split_key(key)
        seen_at = datetime.combine(day, time(), UTC)
        rows.append({"name": name, "segment": segment, "security_id": security_id, "seen_at": seen_at})
    if rows:
        insert = on_conflict.insert(connection, table)
        updated = {name: insert.excluded[name] for name in ("security_id", "seen_at")}
        # Also on the same day: a second import corrects a name that the first gave to the wrong instrument.
        not_older = table.c.seen_at <= insert.excluded.seen_at
        connection.execute(
            insert.on_conflict_do_update(index_elements=["name", "segment"], set_=updated, where=not_older),
            rows,
        )


def is_isin(name: str) -> bool:
    return _ISIN.fullmatch(name) is not None


def isin_last_days(engine: Engine) -> dict[str, list[date]]:
    """Return by key the last days of its former ISINs."""
    found: dict[str, list[date]] = {}
    with reading(engine) as connection:
        for row in connection.execute(select(table)):
            if is_isin(row.name):
                found.setdefault(f"{row.segment}:{row.security_id}", []).append(row.seen_at.date())
    return found


def by_key(engine: Engine, *, busy_timeout_ms: int) -> dict[str, list[str]]:
    """Return by key the former symbols and ISINs of instruments, the newest first.

    Read in parts, each a transaction of its own, because a web process waits for each.
    """
    seen: dict[str, list[tuple[datetime, str]]] = {}
    place = (table.c.name, table.c.segment)
    statement, last = select(table).order_by(*place).limit(_READ), None
    while last is None or len(last) == _READ:
        after = (
            statement if last is None else statement.where(tuple_(*place) > (last[-1].name, last[-1].segment))
        )
        with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
            last = connection.execute(after).all()
        for row in last:
            seen.setdefault(f"{row.segment}:{row.security_id}", []).append((row.seen_at, row.name))
    return {key: [name for _, name in sorted(names, reverse=True)] for key, names in seen.items()}
