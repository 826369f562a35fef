"""A database of each kind with three alerts, for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.db.alerts.tables import alert_channels, alerts
from ltp.db.engine import open_engine, writing

AT = datetime(2026, 11, 30, 5, 11, tzinfo=UTC)
_EMPTIED = (
    "alert_deliveries, alert_channels, alert_firings, alert_states, alert_decisions, alert_values, alerts"
)


def row(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "version": 1, "target": "key", "name": "NSE_EQ:1333", "rule": "ltp > 1650", "repeat": "once",
        "cool_down_s": 0, "hysteresis": 0.0, "expires": None, "phases": "", "note": "", "channels": "",
        "state": "on", "snoozed_until": None, "client": "", "created_at": AT, "changed_at": AT,
    }  # fmt: skip
    return values | changes


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        connection.exec_driver_sql(f"TRUNCATE {_EMPTIED} RESTART IDENTITY CASCADE")
        connection.exec_driver_sql("UPDATE alert_changes SET number = 0, fence = 0")
    return server


@pytest.fixture
def alert(engine: Engine) -> Callable[..., int]:
    """A function that stores an alert and returns its id."""

    def store(**changes: Any) -> int:
        with writing(engine) as connection:
            stored = connection.execute(alerts.insert().values(row(**changes)).returning(alerts.c.id))
            return int(stored.scalar_one())

    return store


@pytest.fixture
def channel(engine: Engine) -> Callable[..., int]:
    """A function that stores a channel and returns its id."""

    def store(name: str, *, is_on: bool = True) -> int:
        values = {
            "name": name, "kind": "webhook", "target": "https://example.com/", "is_on": is_on, "per_minute": 10,
            "created_at": AT, "changed_at": AT,
        }  # fmt: skip
        with writing(engine) as connection:
            stored = connection.execute(alert_channels.insert().values(values).returning(alert_channels.c.id))
            return int(stored.scalar_one())

    return store
