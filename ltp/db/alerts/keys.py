"""Alerts of a key that the exchange gave to another instrument, and of a share that got another key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from ltp.core.alerts.alert import ENDED, KEY, MUTED, ON
from ltp.core.instrument import split_key
from ltp.core.trading_day import IST
from ltp.db.alerts.tables import (
    alert_changes,
    alert_decisions,
    alert_firings,
    alert_states,
    alert_values,
    alerts,
)

_OF_ONE: Final = {alert_states: "alert_id", alert_values: "term"}  # what is unique beside the key


def clear(connection: Connection, keys: Iterable[str]) -> None:
    """End the alerts on these keys, which mean other instruments now, and delete what was known of the former ones.

    Firings stay: each has the symbol that it was of.
    """
    now = datetime.now(UTC)
    for key in keys:
        for table in (*_OF_ONE, alert_decisions):
            connection.execute(delete(table).where(_has_key(table, key)))
        reason = f"{key} means another instrument since {now.astimezone(IST):%d %b %Y}"
        on = alerts.c.state.in_((ON, MUTED)) & (
            _is_on(key) | alerts.c.rule.contains(_named(key), autoescape=True)
        )
        ended = connection.execute(
            update(alerts).where(on).values(state=ENDED, reason=reason, changed_at=now)
        )
        _count(connection, ended.rowcount)


def move(connection: Connection, old: str, new: str) -> None:
    """Give the alerts on a key another one, in their rules too, with all that is known of it."""
    for table, unique in _OF_ONE.items():
        taken = connection.execute(select(table.c[unique]).where(_has_key(table, new))).scalars().all()
        free = _has_key(table, old) & table.c[unique].not_in(taken)
        connection.execute(update(table).where(free).values(security_id=split_key(new)[1]))
        connection.execute(delete(table).where(_has_key(table, old)))
    for history in (alert_decisions, alert_firings):
        connection.execute(
            update(history).where(_has_key(history, old)).values(security_id=split_key(new)[1])
        )
    named = update(alerts).where(_is_on(old)).values(name=new)
    in_rules = update(alerts).where(alerts.c.rule.contains(_named(old), autoescape=True))
    renamed = in_rules.values(rule=func.replace(alerts.c.rule, _named(old), _named(new)))
    _count(connection, connection.execute(named).rowcount + connection.execute(renamed).rowcount)


def _is_on(key: str) -> Any:
    return (alerts.c.target == KEY) & (alerts.c.name == key)


def _named(key: str) -> str:
    """Return a key as a rule names it: of("NSE_EQ:2885", ltp)."""
    return f'"{key}"'


def _count(connection: Connection, changed: int) -> None:
    if changed:
        connection.execute(update(alert_changes).values(number=alert_changes.c.number + 1))


def _has_key(table: Any, key: str) -> Any:
    segment, security_id = split_key(key)
    return (table.c.segment == segment) & (table.c.security_id == security_id)
