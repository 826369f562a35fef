"""The rules of alerts, as people wrote them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from ltp.core.alerts.alert import Alert, Target, Terms
from ltp.db.alerts.tables import alert_changes, alerts


def all_in(connection: Connection) -> list[Alert]:
    """Return every alert, by id."""
    return [_alert(row) for row in connection.execute(select(alerts).order_by(alerts.c.id))]


def change_number(connection: Connection) -> int:
    """Return a number that rises with every change of an alert."""
    return int(connection.execute(select(alert_changes.c.number)).scalar() or 0)


def _alert(row: Row[Any]) -> Alert:
    terms = Terms(
        Target(row.target, row.name), row.rule, row.repeat, row.cool_down_s, row.hysteresis, row.expires,
        tuple(filter(None, row.phases.split(","))), row.note,
        tuple(int(each) for each in row.channels.split(",") if each),
    )  # fmt: skip
    return Alert(
        row.id, row.version, terms, row.state, row.snoozed_until, row.created_at, row.changed_at, row.reason
    )
