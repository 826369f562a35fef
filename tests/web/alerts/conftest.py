from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from ltp.core.alerts.alert import KEY, Target, Terms
from ltp.core.alerts.notice import Notice
from ltp.db.alerts import rules
from ltp.db.alerts.tables import alert_firings
from ltp.db.engine import writing

HOSTILE = "<img src=x onerror=alert(1)> \"quoted\" 'it' =1+1"
AT = datetime(2026, 12, 1, 5, 11, 7, tzinfo=UTC)


@pytest.fixture
def make(site: Any) -> Callable[..., int]:
    """A function that stores an alert on HDFCBANK and returns its id."""

    def store(rule: str = "ltp > 1700", **changed: Any) -> int:
        terms = Terms(Target(KEY, "NSE_EQ:1333"), rule)
        return rules.create(site.engine, terms._replace(**changed)).id

    return store


@pytest.fixture
def fire(site: Any) -> Callable[..., int]:
    """A function that stores a firing and returns its id."""

    def store(alert_id: int, **changed: Any) -> int:
        values = {
            "alert_id": alert_id, "version": 1, "token": str(changed), "segment": "NSE_EQ", "security_id": 1333,
            "symbol": "HDFCBANK", "rule": "ltp > 1650", "note": "", "at": AT, "noticed_at": AT, "ltp": 16_505_000,
            "how": "trade", "detail": "", "fence": 1,
        }  # fmt: skip
        with writing(site.engine) as connection:
            new = insert(alert_firings).values(values | changed).returning(alert_firings.c.id)
            return int(connection.execute(new).scalar_one())

    return store


def notice(id_: int, **changed: Any) -> Notice:
    return Notice(id_, 3, "NSE_EQ:1333", "HDFCBANK", "ltp > 1650", "", AT, 16_505_000, "trade")._replace(
        **changed
    )
