"""Channels in SQL: where firings are sent to. Targets leave this module as `Secret` only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, text, update

from ltp.core.alerts.channel import (
    MAX_CHANNELS,
    MOST_PER_MINUTE,
    PER_MINUTE,
    Channel,
    Secret,
    checked_name,
    checked_secret,
    checked_target,
)
from ltp.db.alerts.tables import alert_channels as table
from ltp.db.alerts.tables import alert_deliveries
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.errors import InputError, NotFoundError

MAX_ID: Final = 2_147_483_647  # the column is an Integer
DELETED: Final = "the channel was deleted"
SWITCHED_OFF: Final = "the channel was switched off"


class Wanted(NamedTuple):
    """A channel as a person describes it. `secret`: "" for messages without a signature."""

    name: str
    kind: str
    target: str
    secret: str = ""
    per_minute: int = PER_MINUTE


def create(
    engine: Engine, wanted: Wanted, *, internal: bool, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> Channel:
    """Store a channel, which is on.

    Args:
        internal: whether internal addresses are allowed.
    Raises:
        InputError: a field is not accepted, the name is taken, or there are 50; without target and secret.
    """
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "name": checked_name(wanted.name),
        "kind": wanted.kind,
        "target": checked_target(wanted.kind, wanted.target, internal=internal),
        "secret": checked_secret(wanted.kind, wanted.secret),
        "per_minute": checked_per_minute(wanted.per_minute),
    }
    values |= {"is_on": True, "created_at": now, "changed_at": now}
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _lock(connection)
        _require_free(connection, values["name"])
        if connection.execute(select(func.count()).select_from(table)).scalar_one() >= MAX_CHANNELS:
            raise InputError(
                "name", wanted.name, f"there are {MAX_CHANNELS} channels, the most; delete one first"
            )
        created = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
        return _require(connection, created)


def change(
    engine: Engine,
    channel_id: int,
    name: str,
    per_minute: int,
    *,
    target: str = "",
    secret: str = "",
    internal: bool,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> Channel:
    """Change all that is given of a channel, or nothing. What waits is sent to the new target.

    Args:
        target: of the same kind; "" leaves target and secret as they are.
    Raises:
        InputError: as of `create`; or a secret is given without a target.
        NotFoundError: there is no such channel.
    """
    values: dict[str, Any] = {"name": checked_name(name), "per_minute": checked_per_minute(per_minute)}
    if secret.strip() and not target.strip():
        raise InputError("secret", "***", "it is changed together with the target; give that too")
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _lock(connection)
        kind = _require(connection, channel_id).kind
        _require_free(connection, values["name"], except_for=channel_id)
        if target.strip():
            values["target"] = checked_target(kind, target, internal=internal)
            values["secret"] = checked_secret(kind, secret)
        return _change(connection, channel_id, **values)


def switch(engine: Engine, channel_id: int, *, on: bool, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Channel:
    """Switch a channel on or off. Off: what waits for it is dropped. Raises NotFoundError."""
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        changed = _change(connection, channel_id, is_on=on)
        if not on:
            _drop_waiting(connection, channel_id, SWITCHED_OFF)
        return changed


def remove(engine: Engine, channel_id: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Delete a channel with its target; its past deliveries stay. Raises NotFoundError."""
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _require(connection, channel_id)
        _drop_waiting(connection, channel_id, DELETED)
        connection.execute(delete(table).where(table.c.id == channel_id))


def fetch(engine: Engine, channel_id: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Channel:
    """Return a channel. Raises NotFoundError."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return _require(connection, channel_id)


def all_of(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[Channel]:
    """Return all channels by name."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return [channel_of(row) for row in connection.execute(select(table).order_by(table.c.name))]


def channel_of(row: Row[Any]) -> Channel:
    """Return the channel of a row of the table."""
    target, secret = Secret(row.target), Secret(row.secret)
    return Channel(row.id, row.name, row.kind, target, secret, row.is_on, row.per_minute)


def checked_per_minute(number: int) -> int:
    if not 1 <= number <= MOST_PER_MINUTE:
        raise InputError("per_minute", str(number), f"it is a whole number from 1 to {MOST_PER_MINUTE}")
    return number


def _change(connection: Connection, channel_id: int, **values: Any) -> Channel:
    these = update(table).where(table.c.id == channel_id)
    connection.execute(these.values(values | {"changed_at": datetime.now(UTC)}))
    return _require(connection, channel_id)


def _require(connection: Connection, channel_id: int) -> Channel:
    row = connection.execute(select(table).where(table.c.id == channel_id)).first()
    if row is None:
        raise NotFoundError("channel", str(channel_id))
    return channel_of(row)


def _require_free(connection: Connection, name: str, except_for: int = 0) -> None:
    """Names that differ only in case would be taken for the same."""
    names = connection.execute(select(table.c.name).where(table.c.id != except_for)).scalars()
    if name.casefold() in {each.casefold() for each in names}:
        raise InputError("name", name, "another channel has this name; choose another")


def _drop_waiting(connection: Connection, channel_id: int, reason: str) -> None:
    rows = alert_deliveries.c
    waiting = update(alert_deliveries).where(rows.channel_id == channel_id, rows.state == "queued")
    connection.execute(waiting.values(state="dropped", outcome=reason, ended_at=datetime.now(UTC)))


def _lock(connection: Connection) -> None:
    """Wait for other transactions that add or rename channels. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
