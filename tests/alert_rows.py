"""Channels, firings and deliveries for tests: a database of each kind, and rows as the worker writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from ltp.core.alerts.channel import MAIL, Channel
from ltp.db.alerts import channels
from ltp.db.alerts.channels import Wanted
from ltp.db.alerts.tables import alert_deliveries, alert_firings
from ltp.db.engine import open_engine, reading, writing

NOW = datetime(2026, 12, 1, 5, 12, 17, tzinfo=UTC)


def database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Engine:
    """Return a database without channels: `sqlite` in the folder, or `postgresql`, which tests share."""
    if kind == "sqlite":
        return open_engine(f"sqlite:///{folder / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        tables = "alert_deliveries, alert_channels, alert_firings, instruments"
        connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
    return server


def channel(engine: Engine, name: str = "mine", per_minute: int = 10) -> Channel:
    return channels.create(engine, Wanted(name, MAIL, "me@example.com", "", per_minute), internal=False)


def fire(engine: Engine, *channel_ids: int, at: datetime = NOW, note: str = "") -> list[int]:
    """Store a firing and a delivery for each channel, as the worker does; return the ids of the deliveries."""
    with writing(engine) as connection:
        count = connection.execute(select(func.count()).select_from(alert_firings)).scalar_one()
        values = {
            "alert_id": 7, "version": 1, "token": str(count + 1), "segment": "NSE_EQ", "security_id": 1333,
            "symbol": "HDFCBANK", "rule": "ltp > 1650", "note": note, "at": at, "noticed_at": at,
            "ltp": 16_503_500, "how": "trade", "detail": "", "fence": 1,
        }  # fmt: skip
        new_firing = insert(alert_firings).values(values).returning(alert_firings.c.id)
        firing = connection.execute(new_firing).scalar_one()
        queued = {"firing_id": firing, "state": "queued", "attempts": 0, "next_at": at, "outcome": ""}
        new = insert(alert_deliveries).returning(alert_deliveries.c.id)
        return [
            connection.execute(new.values(queued | {"channel_id": each})).scalar_one() for each in channel_ids
        ]


def states(engine: Engine) -> list[tuple[str, str]]:
    """Return state and outcome of each delivery."""
    rows = select(alert_deliveries.c.state, alert_deliveries.c.outcome).order_by(alert_deliveries.c.id)
    with reading(engine) as connection:
        return [(row.state, row.outcome) for row in connection.execute(rows)]
