"""What became of alerts: their firings, each with what became of its deliveries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, select

from ltp.core.alerts import document
from ltp.core.alerts.alert import Firing
from ltp.db.alerts.states import key_of
from ltp.db.alerts.tables import alert_channels, alert_deliveries, alert_firings
from ltp.db.engine import BUSY_TIMEOUT_MS, reading


class Delivered(NamedTuple):
    """A firing on its way to a channel. `state`: queued, sending, sent, failed or dropped. `status`: of HTTP or
    SMTP, None without one. `digest`: it went in one message with other firings.
    """

    channel: str
    state: str
    attempts: int
    status: int | None
    outcome: str
    ended_at: datetime | None
    digest: bool


class Fired(NamedTuple):
    """`symbol`, `rule`, `note`: as they were then. `noticed_at`: by the worker."""

    firing: Firing
    symbol: str
    rule: str
    note: str
    noticed_at: datetime
    deliveries: tuple[Delivered, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the firing as JSON."""
        sent = [each._asdict() for each in self.deliveries]
        return document.firing(self.firing, self.symbol, self.rule, self.note, sent)


def firings(
    engine: Engine,
    alert_id: int | None = None,
    *,
    before: int | None = None,
    most: int,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> list[Fired]:
    """Return firings, the newest first.

    Args:
        alert_id: of one alert, which may be deleted; None for all.
        before: only those with a smaller id.
    """
    wanted = select(alert_firings).order_by(alert_firings.c.id.desc()).limit(most)
    if alert_id is not None:
        wanted = wanted.where(alert_firings.c.alert_id == alert_id)
    if before is not None:
        wanted = wanted.where(alert_firings.c.id < before)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(wanted).all()
        sent = _deliveries(connection, [row.id for row in rows])
    return [_fired(row, sent.get(row.id, ())) for row in rows]


def last_firings(
    engine: Engine, alert_ids: Collection[int], *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> Mapping[int, Fired]:
    """Return the newest firing of each alert that has one, without its deliveries."""
    if not alert_ids:
        return {}
    newest = (
        select(func.max(alert_firings.c.id))
        .where(alert_firings.c.alert_id.in_(alert_ids))
        .group_by(alert_firings.c.alert_id)
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(select(alert_firings).where(alert_firings.c.id.in_(newest))).all()
    return {row.alert_id: _fired(row) for row in rows}


def channels(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Mapping[int, str]:
    """Return the names of all channels by id, in the order of names."""
    wanted = select(alert_channels.c.id, alert_channels.c.name).order_by(alert_channels.c.name)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return {row.id: row.name for row in connection.execute(wanted)}


def _deliveries(connection: Connection, ids: Sequence[int]) -> Mapping[int, tuple[Delivered, ...]]:
    if not ids:
        return {}
    table, found = alert_deliveries, defaultdict[int, list[Delivered]](list)
    wanted = (
        select(table, alert_channels.c.name)
        .outerjoin(alert_channels, alert_channels.c.id == table.c.channel_id)
        .where(table.c.firing_id.in_(ids))
        .order_by(table.c.id)
    )
    for row in connection.execute(wanted):
        name = row.name or f"deleted channel {row.channel_id}"
        found[row.firing_id].append(
            Delivered(
                name,
                row.state,
                row.attempts,
                row.status,
                row.outcome,
                row.ended_at,
                row.digest_id is not None,
            )
        )
    return {id_: tuple(each) for id_, each in found.items()}


def _fired(row: Row[Any], deliveries: tuple[Delivered, ...] = ()) -> Fired:
    firing = Firing(
        row.id,
        row.alert_id,
        row.version,
        key_of(row.segment, row.security_id),
        row.at,
        row.ltp,
        row.how,
        row.since,
        row.until,
        row.detail,
    )
    return Fired(firing, row.symbol, row.rule, row.note, row.noticed_at, deliveries)
