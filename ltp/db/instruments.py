"""The instrument master: what each key is called, and the grid its price moves on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from ltp.core.instrument import Instrument
from ltp.db.engine import reading, writing
from ltp.db.schema import instruments as table

_COLUMNS: Final = [table.c[name] for name in Instrument._fields]
_KEY: Final = ("segment", "security_id")


def seed(engine: Engine, instruments: Iterable[Instrument]) -> None:
    """Insert what is new and correct what differs; what is not named stays. All of it or nothing."""
    values = [_values(instrument) for instrument in instruments]
    if not values:
        return
    insert = _insert(engine)
    told = {name: insert.excluded[name] for name in Instrument._fields if name not in _KEY}
    # An unchanged row keeps its changed_at, or every start of a process would make every cache reload.
    differs = or_(*(table.c[name] != told[name] for name in told))
    upsert = insert.on_conflict_do_update(
        index_elements=_KEY, set_={**told, "changed_at": insert.excluded.changed_at}, where=differs
    )
    with writing(engine) as connection:
        connection.execute(upsert, values)


def add_missing(connection: Connection, instruments: Iterable[Instrument]) -> None:
    """Insert what is new and leave what is there, inside the caller's transaction."""
    values = [_values(instrument) for instrument in instruments]
    if values:
        connection.execute(_insert(connection.engine).on_conflict_do_nothing(index_elements=_KEY), values)


def fetch_all(engine: Engine) -> list[Instrument]:
    """Return the whole master, by segment and id."""
    with reading(engine) as connection:
        return all_in(connection)


def all_in(connection: Connection) -> list[Instrument]:
    return [Instrument(*row) for row in connection.execute(select(*_COLUMNS).order_by(*(table.c[name] for name in _KEY)))]


def changed_at(connection: Connection) -> datetime | None:
    """Return the instant of the newest change, None while the table is empty."""
    newest: datetime | None = connection.execute(select(func.max(table.c.changed_at))).scalar()
    return newest


def _values(instrument: Instrument) -> dict[str, Any]:
    return instrument._asdict() | {"changed_at": datetime.now(UTC)}


def _insert(engine: Engine) -> Any:
    # Both dialects spell ON CONFLICT the same way; the generic insert has none.
    return (postgresql if engine.dialect.name == "postgresql" else sqlite).insert(table)
