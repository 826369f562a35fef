"""The lists whose one-minute bars are fetched after each session, besides the instruments that have bars."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, delete, insert, select

from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.history.tables import history_schedules as table
from ltp.db.schema import constituents, universes
from ltp.errors import NotFoundError


def scheduled(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> set[str]:
    """Return the names of the lists."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return set(connection.execute(select(table.c.universe)).scalars())


def change(engine: Engine, universe: str, *, fetched: bool, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Set whether a list is fetched after each session.

    Raises:
        NotFoundError: there is no such list.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        named = select(universes.c.name).where(universes.c.name == universe)
        if connection.execute(named).first() is None:
            raise NotFoundError("list", universe)
        connection.execute(delete(table).where(table.c.universe == universe))
        if fetched:
            connection.execute(insert(table).values(universe=universe, changed_at=datetime.now(UTC)))


def keys(engine: Engine) -> list[str]:
    """Return the members of the lists, by segment and id."""
    place = (constituents.c.segment, constituents.c.security_id)
    wanted = (
        select(*place)
        .where(constituents.c.universe.in_(select(table.c.universe)))
        .distinct()
        .order_by(*place)
    )
    with reading(engine) as connection:
        return [f"{segment}:{security_id}" for segment, security_id in connection.execute(wanted)]
