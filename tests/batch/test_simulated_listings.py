from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.simulated_listings import SimulatedListings
from ltp.core.history.candle import Candle
from ltp.core.instrument import Instrument
from ltp.db import candles, instruments
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError
from ltp.feed.simulator import Simulator

SHARE = Instrument("NSE_EQ", 99_001, "IMPORTED", "Imported Limited", "INE999A01011", 1, 500, "EQ")
OTHER = SHARE._replace(security_id=99_002, symbol="OTHER")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    instruments.seed(engine, [SHARE, OTHER])
    candles.upsert(
        engine,
        "raw",
        {SHARE.key: [Candle(date(2026, 11, 20), 1230_0000, 1240_0000, 1220_0000, 1234_5000, 9)]},
    )
    return engine


def test_instruments_of_the_master_come_with_their_last_close(engine: Engine) -> None:
    known = SimulatedListings(lambda: engine)
    assert known([SHARE.key, "NSE_EQ:5", OTHER.key]) == [(SHARE, 1234_5000), (OTHER, 0)]


def test_a_database_that_is_away_costs_the_listing_for_now(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    away = [DatabaseError("The database is away")]

    def open_() -> Engine:
        if away:
            raise away.pop()
        return engine

    known = SimulatedListings(open_)
    with caplog.at_level(logging.WARNING):
        assert known([OTHER.key]) == []
    assert "cannot list NSE_EQ:99002 yet: The database is away" in caplog.text
    assert known([OTHER.key]) == [(OTHER, 0)]


def test_the_exchange_prices_and_charts_instruments_of_the_master(engine: Engine) -> None:
    simulator = Simulator(rate=0.0, known=SimulatedListings(lambda: engine))
    client = simulator.app.test_client()
    head = {"access-token": "x", "client-id": "1"}
    answer = client.post("/v2/marketfeed/ohlc", json={"NSE_EQ": [99_001, 99_003]}, headers=head).get_json()
    assert answer["data"]["NSE_EQ"].keys() == {"99001"}
    assert answer["data"]["NSE_EQ"]["99001"]["ohlc"]["close"] == pytest.approx(1234.5, abs=0.05)
    body = {"exchangeSegment": "NSE_EQ", "securityId": "99002", "instrument": "EQUITY"}
    days = {"fromDate": "2026-11-02", "toDate": "2026-11-21"}
    assert len(client.post("/v2/charts/historical", json=body | days, headers=head).get_json()["close"]) == 15
    assert (
        client.post("/v2/charts/historical", json={"instrument": "EQUITY"}, headers=head).status_code == 400
    )
