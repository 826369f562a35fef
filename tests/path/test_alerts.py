"""Alerts through the worker's process: from a broker's socket to SQL and to the channel of firings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ltp.db.alerts.tables import alert_firings, alert_states, alerts
from ltp.db.engine import Engine, open_engine, reading, writing
from tests.db.alerts.conftest import row
from tests.path.scripted_feed import ScriptedFeed, quote

ROOT = Path(__file__).resolve().parents[2]
ID = 1333


class Bench:
    """A broker's feed, workers, and all that was announced."""

    def __init__(self, valkey: Any, wait_for: Callable[..., Any], folder: Path) -> None:
        self.wait_for, self.feed, self.folder = wait_for, ScriptedFeed(), folder
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'ltp.sqlite3'}")
        self.processes: list[subprocess.Popen[bytes]] = []
        self.volume, self.high, self.low = 1_000, 0.0, 0.0
        self.client = valkey.client
        self._pubsub = valkey.client.pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe("live_alerts")
        self.env = os.environ | {
            "DHANHQ_WS_URL": self.feed.url,
            "DHANHQ_REST_URL": "http://127.0.0.1:1/v2",
            "DHANHQ_WS_ENABLED": "true",
            "DHANHQ_CLIENT_ID": "1100001111",
            "DHANHQ_ACCESS_TOKEN": "canary-token",
            "MARKET_CALENDAR": "always_open",
            "REDIS_URL": valkey.url,
            "STATE_DIR": str(folder),
            "SCREENER_UNIVERSE": "off",
        }

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "worker.py"], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def next_connection(self, after: int) -> None:
        self.wait_for(lambda: self.feed.connections > after)

    def add(self, rule: str, **changes: Any) -> int:
        values = row(rule=rule, **changes)
        with writing(self.engine) as connection:
            id_ = connection.execute(alerts.insert().values(values).returning(alerts.c.id)).scalar_one()
            connection.exec_driver_sql("UPDATE alert_changes SET number = number + 1")
        return int(id_)

    def trade(self, *prices: float, high: float = 0.0) -> None:
        """Send a packet for each price, each a trade of this second."""
        packets = []
        for price in prices:
            self.volume += 10
            self.high = max(self.high, price, high)
            self.low = min(self.low or price, price)
            packets.append(quote(ID, price, int(time.time()), self.volume, high=self.high, low=self.low))
        self.feed.send(*packets)

    def announced(self) -> dict[str, Any]:
        """Wait for the next firing."""
        found: dict[str, Any] = json.loads(
            self.wait_for(lambda: self._pubsub.get_message(timeout=0.05))["data"]
        )
        return found

    def fired(self) -> list[tuple[int, str]]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(alert_firings).order_by(alert_firings.c.id))
            return [(each.alert_id, each.how) for each in rows]

    def until_seen(self, price: float) -> None:
        """Wait until the states of a price are stored."""

        def stored() -> bool:
            with reading(self.engine) as connection:
                return round(price * 10_000) in connection.execute(select(alert_states.c.ltp)).scalars().all()

        self.wait_for(stored)

    def until_watched(self, price: float) -> None:
        """Wait until the worker judges packets: the price of one is stored."""

        def seen() -> bool:
            self.trade(price)
            with reading(self.engine) as connection:
                return round(price * 10_000) in connection.execute(select(alert_states.c.ltp)).scalars().all()

        self.wait_for(seen)


@pytest.fixture
def bench(valkey: Any, wait_for: Callable[..., Any], tmp_path: Path) -> Iterator[Bench]:
    made = Bench(valkey, wait_for, tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.wait()
    made.feed.close()


def test_prices_of_a_script_fire_each_once_through_a_reconnect_and_a_restart(bench: Bench) -> None:
    once, touch, between = bench.add("ltp > 1650"), bench.add("ltp >= 1660"), bench.add("ltp > 1670")
    again = bench.add("crosses_below(ltp, 1640)", repeat="each")
    away, restarted = bench.add("ltp > 1680"), bench.add("ltp > 1690")
    worker = bench.start()
    bench.next_connection(0)  # the alerts alone have the instrument subscribed
    bench.until_watched(1641)
    bench.trade(1650, 1650.05, 1649, 1651, 1649)
    first = bench.announced()
    assert (first["alert"], first["key"], first["symbol"], first["ltp"], first["how"]) == (
        once, "NSE_EQ:1333", "HDFCBANK", 1650.05, "trade",
    )  # fmt: skip
    bench.trade(1660, 1655)
    bench.trade(1655.05, high=1671)
    bench.trade(1639, 1641, 1639.5)
    assert [bench.announced()["alert"] for _ in range(4)] == [touch, between, again, again]
    bench.until_seen(1639.5)
    bench.feed.drop()
    bench.next_connection(1)
    bench.trade(1681)
    second = bench.announced()
    assert (second["alert"], second["how"]) == (away, "while_disconnected")
    assert second["detail"].startswith("while disconnected, between ")
    bench.until_seen(1681)
    worker.kill()
    worker.wait()
    bench.start()
    bench.next_connection(2)
    bench.until_watched(1691)
    assert bench.fired() == [
        (once, "trade"), (touch, "trade"), (between, "between_packets"), (again, "trade"), (again, "trade"),
        (away, "while_disconnected"), (restarted, "while_disconnected"),
    ]  # fmt: skip


def test_of_two_workers_the_one_that_leads_fires(bench: Bench) -> None:
    first, second = bench.add("ltp > 1650", repeat="each"), bench.add("ltp > 1700", repeat="each")
    worker = bench.start()
    bench.next_connection(0)
    bench.until_watched(1641)
    other = bench.start()
    bench.wait_for(lambda: b"Standing by" in (bench.folder / "log").read_bytes())
    bench.trade(1651)
    assert bench.announced()["alert"] == first
    bench.until_seen(1651)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    bench.next_connection(1)
    bench.until_watched(1652)
    bench.trade(1701)
    assert bench.announced()["alert"] == second
    assert bench.fired() == [(first, "trade"), (second, "trade")]
    assert other.poll() is None
