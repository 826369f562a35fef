"""Alerts and their firings as JSON: of the API and of commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ltp.core.alerts.alert import KEY, Alert, Firing
from ltp.core.money import rupees
from ltp.core.trading_day import IST


def alert(each: Alert) -> dict[str, Any]:
    """Return an alert. `key`: of its instrument, null for another target. `cool_down`: minutes."""
    terms = each.terms
    return {
        "id": each.id,
        "version": each.version,
        "key": terms.target.name if terms.target.kind == KEY else None,
        "target": terms.target._asdict(),
        "rule": terms.rule,
        "repeat": terms.repeat,
        "cool_down": terms.cool_down_s / 60,
        "hysteresis": terms.hysteresis,
        "expires": terms.expires.isoformat() if terms.expires else None,
        "phases": list(terms.phases),
        "note": terms.note,
        "channels": list(terms.channels),
        "state": each.state,
        "reason": each.reason,
        "snoozed_until": instant(each.snoozed_until),
        "created_at": instant(each.created_at),
        "changed_at": instant(each.changed_at),
    }


def firing(
    each: Firing, symbol: str, rule: str, note: str, deliveries: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a firing; `key` and `ltp` are null for one on no instrument. `at`: in India."""
    return {
        "id": each.id,
        "alert": each.alert_id,
        "key": each.key or None,
        "symbol": symbol,
        "rule": rule,
        "note": note,
        "at": instant(each.at),
        "ltp": None if each.ltp is None else rupees(each.ltp),
        "how": each.how,
        "since": instant(each.since),
        "until": instant(each.until),
        "detail": each.detail,
        "deliveries": [
            {name: instant(value) if isinstance(value, datetime) else value for name, value in found.items()}
            for found in deliveries
        ],
    }


def instant(at: datetime | None) -> str | None:
    return at.astimezone(IST).isoformat() if at else None
