"""Wrong packets, from a broker's socket through the worker to the values in Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.path.scripted_feed import ScriptedFeed, open_interest, quote

ROOT = Path(__file__).resolve().parents[2]
KEY, ID = "NSE_EQ:2885", 2885


class Bench:
    def __init__(self, valkey: Any, wait_for: Callable[..., Any]) -> None:
        self.client, self.wait_for, self.feed = valkey.client, wait_for, ScriptedFeed()

    def tick(self) -> dict[str, Any]:
        return json.loads(self.client.get(f"tick:{KEY}") or "{}")

    def until(self, price: float) -> dict[str, Any]:
        self.wait_for(lambda: self.tick().get("ltp") == price)
        return self.tick()

    def next_connection(self, after: int) -> None:
        self.wait_for(lambda: self.feed.connections > after)

    def odd(self) -> dict[str, int]:
        return json.loads(self.client.hget("market_stream:status", "odd_ticks") or "{}")


@pytest.fixture
def bench(valkey: Any, wait_for: Callable[..., Any], tmp_path: Path) -> Iterator[Bench]:
    made = Bench(valkey, wait_for)
    made.client.zadd("demand:instruments", {KEY: time.time() + 300})
    env = os.environ | {
        "DHANHQ_WS_URL": made.feed.url,
        "DHANHQ_REST_URL": "http://127.0.0.1:1/v2",
        "DHANHQ_WS_ENABLED": "true",
        "DHANHQ_CLIENT_ID": "1100001111",
        "DHANHQ_ACCESS_TOKEN": "canary-token",
        "MARKET_CALENDAR": "always_open",
        "REDIS_URL": valkey.url,
        "STATE_DIR": str(tmp_path),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "worker.py"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        made.next_connection(0)
        yield made
    finally:
        process.kill()
        process.wait()
        made.feed.close()


def test_an_older_packet_without_a_trade_time_changes_nothing(bench: Bench) -> None:
    traded = int(time.time()) - 3_600
    bench.feed.send(quote(ID, 2212.0, traded, 5_000_000))
    tick = bench.until(2212.0)
    assert (tick["ltt"], tick["traded_at"]) == (traded, traded * 1_000_000)
    bench.feed.send(quote(ID, 2022.95, 0, 0), quote(ID, 2022.95, 0, 0))
    bench.wait_for(lambda: bench.odd().get("out_of_order") == 2)
    assert bench.tick() == tick


def test_a_price_trades_although_its_trade_time_went_back(bench: Bench) -> None:
    now = int(time.time())
    bench.feed.send(quote(ID, 100.0, now, 1_000))
    bench.until(100.0)
    bench.feed.send(quote(ID, 101.0, now - 3_600, 1_001))
    tick = bench.until(101.0)
    assert tick["ltt"] is None
    assert tick["traded_at"] == tick["received_at"] >= now * 1_000_000
    bench.wait_for(lambda: bench.odd().get("ltt_distrusted") == 1)
    assert json.loads(bench.client.hget("market_stream:status", "mistimed_keys")) == [KEY]


def test_open_interest_after_a_reconnect_confirms_no_price(bench: Bench) -> None:
    bench.feed.send(quote(ID, 100.0, int(time.time()), 1_000))
    tick = bench.until(100.0)
    bench.feed.drop()
    bench.next_connection(1)
    bench.feed.send(open_interest(ID, 77))
    bench.wait_for(lambda: bench.tick().get("oi") == 77)
    assert bench.tick()["received_at"] == tick["received_at"]
    bench.feed.send(quote(ID, 100.0, tick["ltt"], 1_000))
    bench.wait_for(lambda: bench.tick()["received_at"] > tick["received_at"])


def test_the_close_beside_a_missing_price_is_known(bench: Bench) -> None:
    bench.feed.send(quote(ID, 0.0, 0, 0, close=98.5))
    bench.wait_for(lambda: bench.tick().get("prev_close") == 98.5)
    assert bench.tick()["ltp"] is None
    assert not bench.client.exists(f"ltp:{KEY}")
