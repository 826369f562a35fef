"""Terms of rules on the newest session, such as sma(volume, 20): computed by a command, read by the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, select, tuple_

from ltp.core.instrument import split_key
from ltp.db import on_conflict
from ltp.db.alerts.tables import alert_values as table
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing

_KEY: Final = ("segment", "security_id", "term")
_CHUNK: Final = 2_000


class TermValue(NamedTuple):
    """`value`: None where the history is too short. `as_of`: the session that it is of."""

    value: float | None
    as_of: date


def replace(engine: Engine, values: Mapping[tuple[str, str], TermValue], now: datetime) -> None:
    """Store values by key and term, and delete those that were made before and are not among them.

    Raises:
        DatabaseError: some may be stored; none is deleted.
    """
    rows = []
    for (key, term), (value, as_of) in values.items():
        segment, security_id = split_key(key)
        rows.append(
            {"segment": segment, "security_id": security_id, "term": term, "value": value, "as_of": as_of, "made_at": now}
        )  # fmt: skip
    for begin in range(0, len(rows), _CHUNK):
        with writing(engine) as connection:
            insert = on_conflict.insert(connection, table)
            new = {name: insert.excluded[name] for name in ("value", "as_of", "made_at")}
            connection.execute(
                insert.on_conflict_do_update(index_elements=_KEY, set_=new), rows[begin : begin + _CHUNK]
            )
    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.made_at < now))


def all_in(connection: Connection) -> dict[str, dict[str, TermValue]]:
    """Return the values by key and term."""
    found: dict[str, dict[str, TermValue]] = {}
    columns = (table.c.segment, table.c.security_id, table.c.term, table.c.value, table.c.as_of)
    for segment, security_id, term, value, as_of in connection.execute(select(*columns)):
        found.setdefault(f"{segment}:{security_id}", {})[term] = TermValue(value, as_of)
    return found


def version_in(connection: Connection) -> tuple[object, ...]:
    """Return a value that changes with each run of the command; one cheap query."""
    return tuple(connection.execute(select(func.max(table.c.made_at), func.count())).one())


def of_instruments(
    engine: Engine, keys: Collection[str], *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> dict[str, dict[str, float | None]]:
    """Return the values of at most some hundred instruments by key and term: those that some alert needs."""
    found: dict[str, dict[str, float | None]] = {key: {} for key in keys}
    own = tuple_(table.c.segment, table.c.security_id).in_([split_key(key) for key in found])
    wanted = select(table.c.segment, table.c.security_id, table.c.term, table.c.value).where(own)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        for segment, security_id, term, value in connection.execute(wanted):
            found[f"{segment}:{security_id}"][term] = value
    return found
