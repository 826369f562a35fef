"""Firings, newest first, with what became of their deliveries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from ltp.core.alerts.alert import EVENT, TRADE, WHILE_DISCONNECTED
from ltp.db.alerts import history
from ltp.db.alerts.history import Delivered
from ltp.db.alerts.tables import alert_channels, alert_deliveries, alert_firings
from ltp.db.engine import writing

NOW = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)


def fire(engine: Engine, alert_id: int, **changed: Any) -> int:
    values = {
        "alert_id": alert_id, "version": 1, "token": f"{alert_id} {changed}", "segment": "NSE_EQ", "security_id": 1333,
        "symbol": "HDFCBANK", "rule": "ltp > 1650", "note": "n", "at": NOW, "noticed_at": NOW, "ltp": 16_505_000,
        "how": TRADE, "detail": "", "fence": 1,
    }  # fmt: skip
    with writing(engine) as connection:
        new = insert(alert_firings).values(values | changed).returning(alert_firings.c.id)
        return int(connection.execute(new).scalar_one())


def channel(engine: Engine, name: str) -> int:
    values = {
        "name": name,
        "kind": "webhook",
        "target": "https://x.example/secret",
        "is_on": True,
        "per_minute": 10,
    }
    new = insert(alert_channels).values(values | {"created_at": NOW, "changed_at": NOW})
    with writing(engine) as connection:
        return int(connection.execute(new.returning(alert_channels.c.id)).scalar_one())


def deliver(engine: Engine, firing_id: int, channel_id: int, **changed: Any) -> None:
    values = {
        "firing_id": firing_id,
        "channel_id": channel_id,
        "state": "sent",
        "attempts": 1,
        "next_at": NOW,
    }
    with writing(engine) as connection:
        connection.execute(insert(alert_deliveries).values(values | {"outcome": ""} | changed))


def test_firings_come_newest_first_with_their_deliveries(engine: Engine) -> None:
    first = fire(engine, 1)
    second = fire(engine, 2, ltp=None, how=EVENT, segment="", security_id=0, symbol="")
    phone = channel(engine, "phone")
    deliver(engine, first, phone, status=204, outcome="accepted", ended_at=NOW)
    deliver(engine, first, phone + 1, state="failed", attempts=3, outcome="HTTP 500", digest_id=7)
    newest, older = history.firings(engine, most=10)
    assert [newest.firing.id, older.firing.id] == [second, first]
    assert (newest.firing.key, newest.firing.ltp, newest.deliveries) == ("", None, ())
    assert (older.firing.key, older.firing.ltp, older.symbol, older.rule, older.note) == (
        "NSE_EQ:1333", 16_505_000, "HDFCBANK", "ltp > 1650", "n",
    )  # fmt: skip
    assert older.deliveries == (
        Delivered("phone", "sent", 1, 204, "accepted", NOW, digest=False),
        Delivered(f"deleted channel {phone + 1}", "failed", 3, None, "HTTP 500", None, digest=True),
    )


def test_a_part_of_the_firings_of_one_alert(engine: Engine) -> None:
    ids = [fire(engine, alert_id, token=str(number)) for number, alert_id in enumerate((1, 2, 1, 1))]
    assert [each.firing.id for each in history.firings(engine, 1, most=2)] == [ids[3], ids[2]]
    assert [each.firing.id for each in history.firings(engine, 1, before=ids[2], most=9)] == [ids[0]]


def test_the_last_firing_of_each_alert(engine: Engine) -> None:
    since, until = NOW - timedelta(minutes=2), NOW
    fire(engine, 1)
    last = fire(engine, 1, token="2", how=WHILE_DISCONNECTED, since=since, until=until)
    fire(engine, 3)
    found = history.last_firings(engine, [1, 2])
    assert {alert_id: each.firing.id for alert_id, each in found.items()} == {1: last}
    assert (found[1].firing.since, found[1].firing.until) == (since, until)
    assert history.last_firings(engine, []) == {}


def test_channels_by_name(engine: Engine) -> None:
    second, first = channel(engine, "phone"), channel(engine, "mail")
    assert list(history.channels(engine).items()) == [(first, "mail"), (second, "phone")]
