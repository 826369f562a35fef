"""A site in memory: the real app, hub and SQLite, with batches from a market that the test sets. Without Redis."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Engine

from app import create_app
from ltp.core.instrument import Instrument
from ltp.core.market.session import Calendar
from ltp.core.screener import Row
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.db import instruments, runs
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.settings import Settings
from ltp.web.quote.range_cells import with_ranges
from ltp.web.table import cells
from ltp.web.table.past.day_paths import DayPaths, stored_closes
from ltp.web.table.past.year_ranges import YearRanges, stored_years
from ltp.web.table.plan_cells import PlanCells
from ltp.web.table.range_bars import with_bars

MASTER = [
    Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 500),
    Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500),
    Instrument("NSE_EQ", 2031, "M&M", 'Mahindra & "Mahindra" <b>Ltd</b>', "INE101A01026", 1, 500),
    Instrument("NSE_EQ", 11536, "TCS", "Tata Consultancy Services", "INE467B01029", 1, 500),
    Instrument("BSE_EQ", 500180, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500),
]
ROWS = [
    Row(
        "NSE_EQ:1333",
        1,
        "HDFCBANK",
        "HDFC Bank Limited",
        "Bank",
        91.5,
        "Breakout",
        16_500_000,
        15_900_000,
        17_900_000,
    ),
    Row("NSE_EQ:2031", 2, "M&M", MASTER[2].name, "Auto", 88.0, "Pullback", 30_000_000, None, None),
    Row(
        "NSE_EQ:11536",
        3,
        "TCS",
        "Tata Consultancy Services",
        "IT",
        None,
        "Breakout",
        None,
        None,
        None,
        "<script>alert(1)</script>",
    ),
]

# Headers of a browser that opens a typed address or a bookmark.
TYPED = {
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-User": "?1",
}


class Compiled(BytecodeCache):
    """Templates as compiled for an earlier test: compiling a page's takes longer than most tests."""

    def __init__(self) -> None:
        self._by_key: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._by_key:
            bucket.bytecode_from_string(self._by_key[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._by_key[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


@dataclass
class Market:
    """The batches and the cache of the worker. `down`: the cache cannot be read."""

    ticks: dict[str, Tick] = field(default_factory=dict)
    batches: queue.Queue[Batch] = field(default_factory=queue.Queue)
    since: int = field(default_factory=lambda: int(time.time() * 1e6) - 10**9)
    seq: int = 0
    down: bool = False

    def price(self, key: str, ltp: int, **values: Any) -> None:
        now = int(time.time() * 1e6)
        self.ticks[key] = Tick(key, ltp, now // 10**6, now, traded_at=now, session="2026-11-23", **values)

    def publish(
        self,
        keys: Sequence[str] = (),
        *,
        feed: Any = "live",
        source: str = "simulator",
        phase: str = "continuous",
    ) -> None:
        self.seq += 1
        now, phases = int(time.time() * 1e6), {"NSE_EQ": phase, "IDX_I": phase}
        self.batches.put(
            Batch("e", self.seq, now, feed, self.since, source, phases, [self.ticks[key] for key in keys])
        )

    def subscribe(self) -> Iterator[Batch | None]:
        yield None
        while True:
            try:
                yield self.batches.get(timeout=0.05)
            except queue.Empty:
                yield None

    def snapshot(self, keys: Sequence[str]) -> list[CachedTick]:
        if self.down:
            raise StoreError("no cache")
        return [CachedTick(key, self.ticks.get(key), key in self.ticks) for key in keys]


@dataclass
class Site:
    app: Flask
    client: FlaskClient
    hub: Hub
    market: Market
    engine: Engine
    catalog: Catalog

    def page(self, url: str, status: int = 200) -> str:
        response = self.client.get(url, headers=TYPED)
        assert response.status_code == status, response.text
        return response.text

    def run(self, kind: str, rows: Sequence[Row], *, sample: bool = False, **known: Any) -> int:
        run_id = runs.insert_run(self.engine, kind, rows, sample=sample, **known)
        self.catalog.refresh()
        return run_id


@pytest.fixture
def site(empty_database: str, free_port: Any, wait_for: Any) -> Iterator[Site]:
    """The swing screener has three rows, the long-term one none. The feed is live and simulated."""
    settings = Settings(
        _env_file=None,
        database_url=empty_database,
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    market, engine = Market(), open_engine(settings.database)
    instruments.seed(engine, MASTER)
    catalog = Catalog(engine)
    days = DayPaths(stored_closes(engine), Calendar.always_open)
    years, plans = YearRanges(stored_years(engine)), catalog.plans
    planned = with_bars(PlanCells(plans.of).draw_function, plans.of, years.get)
    cell = cells.draw_function(with_ranges(planned), day_line=days.draw)
    hub = Hub(market.subscribe, market.snapshot, cell, min_interval_s=0, stall_timeout_s=5, max_streams=5)
    app = create_app(settings, hub=hub, catalog=catalog, day_paths=days, years=years)
    app.jinja_env.bytecode_cache = COMPILED
    site = Site(app, app.test_client(), hub, market, engine, catalog)
    site.run("swing", ROWS)
    market.price(
        "NSE_EQ:1333",
        16_503_500,
        prev_close=16_400_000,
        volume=1_234_567,
        open=16_410_000,
        high=16_600_000,
        low=16_350_000,
    )
    market.price("NSE_EQ:2031", 31_000_000, prev_close=31_500_000)
    market.price("IDX_I:13", 259_001_000, volume=0)
    market.publish()
    hub.start()
    wait_for(lambda: hub.feed == "live")
    yield site
    hub.stop()
