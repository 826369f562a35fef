"""Pins in SQL: web processes and commands write them, the worker follows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select

from ltp.core.instrument import split_key
from ltp.core.subscriptions.pins import MAX_PINS, Pin
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.pins.tables import pins as table
from ltp.errors import InputError, NotFoundError


class Version(NamedTuple):
    """Of equal versions the pins are the same: each change gives a pin a higher id than any before."""

    pins: int
    last_id: int
    ids: int


def version(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Version:
    """Raises DatabaseError."""
    ids = (func.coalesce(figure, 0) for figure in (func.max(table.c.id), func.sum(table.c.id)))
    figures = select(func.count(), *ids)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return Version(*connection.execute(figures).one())


def fetch(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[Pin]:
    """Return the pins, the oldest first. Raises DatabaseError."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return _pins(connection)


def find(engine: Engine, key: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Pin | None:
    """Return the pin of an instrument, None if it is not pinned. Raises DatabaseError."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return next(iter(_pins(connection, _is(key))), None)


def pin(
    engine: Engine,
    keys: Sequence[str],
    mode: str,
    note: str,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> None:
    """Pin instruments, or change mode and note of those that are pinned.

    Raises:
        InputError: there would be more than MAX_PINS; then none is pinned.
        DatabaseError: nothing is changed.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        before = {each.key: each.pinned_at for each in _pins(connection)}
        new = dict.fromkeys(keys)
        if len(before.keys() | new) > MAX_PINS:
            given = ", ".join(new)
            accepted = f"at most {MAX_PINS} instruments are pinned, and {len(before)} are; unpin one first"
            raise InputError("key", given, accepted)
        now = datetime.now(UTC)
        for key in new:
            segment, security_id = split_key(key)
            connection.execute(delete(table).where(_is(key)))
            values = {"segment": segment, "security_id": security_id, "mode": mode, "note": note}
            connection.execute(insert(table).values(**values, pinned_at=before.get(key, now)))


def unpin(engine: Engine, keys: Sequence[str], *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Unpin instruments.

    Raises:
        NotFoundError: one of them is not pinned; then none is unpinned.
        DatabaseError: nothing is changed.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        for key in dict.fromkeys(keys):
            if connection.execute(delete(table).where(_is(key))).rowcount != 1:
                raise NotFoundError("pinned instrument", key)


def _pins(connection: Connection, condition: Any = None) -> list[Pin]:
    columns = (table.c.segment, table.c.security_id, table.c.mode, table.c.note, table.c.pinned_at)
    wanted = select(*columns).order_by(table.c.pinned_at, table.c.id)
    rows = connection.execute(wanted if condition is None else wanted.where(condition))
    return [Pin(f"{segment}:{security_id}", *values) for segment, security_id, *values in rows]


def _is(key: str) -> Any:
    segment, security_id = split_key(key)
    return (table.c.segment == segment) & (table.c.security_id == security_id)
