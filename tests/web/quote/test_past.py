"""The memory of the figures of earlier sessions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.history.candle import Candle
from ltp.core.history.extremes import Past
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, day_start
from ltp.db import candles, chart_closes, minute_bars
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError
from ltp.web.quote import past as module
from ltp.web.quote.past import AGAIN_S, FRESH_S, KEPT, PastFigures

HDFC, FUTURE = "NSE_EQ:1333", "NSE_FNO:35084"
MONDAY = datetime(2026, 11, 23, 10, tzinfo=IST)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def figures(empty_database: str, clock: Clock) -> tuple[PastFigures, Any]:
    engine = open_engine(empty_database)
    calendar = Calendar.load()
    return PastFigures(engine, lambda: calendar, lambda: MONDAY, clock), engine


def store(engine: Any, *found: Candle) -> None:
    candles.upsert(engine, "raw", {HDFC: list(found)})


def test_the_extremes_are_those_of_the_candles(figures: Any) -> None:
    past, engine = figures
    store(engine, Candle(date(2026, 11, 20), 110, 130, 90, 120, 1_000))
    found = past(HDFC).extremes
    assert (found.low, found.high, found.close, found.average_volume) == (90, 130, 120, 1_000)
    assert past("NSE_EQ:11536") == Past()


def test_figures_are_read_again_after_a_minute(figures: Any, clock: Clock) -> None:
    past, engine = figures
    assert past(HDFC) == Past()
    store(engine, Candle(date(2026, 11, 20), 110, 130, 90, 120, 1_000))
    clock.now += FRESH_S - 0.1
    assert past(HDFC) == Past()
    clock.now += 0.1
    assert past(HDFC).extremes is not None


def test_while_the_database_is_away_the_last_figures_stay(
    figures: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    past, engine = figures
    store(engine, Candle(date(2026, 11, 20), 110, 130, 90, 120, 1_000))
    before, reads = past(HDFC), []

    def away(_engine: Any, key: str) -> Any:
        reads.append(key)
        raise DatabaseError("locked")

    monkeypatch.setattr(chart_closes, "fetch_candles", away)
    clock.now += FRESH_S
    assert past(HDFC) == before
    assert past("NSE_EQ:11536") == Past()
    clock.now += AGAIN_S - 0.1
    assert past(HDFC) == before
    assert reads == [HDFC, "NSE_EQ:11536"]
    clock.now += 0.1
    assert past(HDFC) == before
    assert reads == [HDFC, "NSE_EQ:11536", HDFC]


def test_damaged_candles_have_no_figures(figures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_engine: Any, _key: str) -> Any:
        raise ValueError("a torn record")

    monkeypatch.setattr(chart_closes, "fetch_candles", damaged)
    assert figures[0](HDFC) == Past()


def test_a_contract_has_the_last_open_interest_of_the_session_before(figures: Any) -> None:
    past, engine = figures
    friday = day_start(date(2026, 11, 20)) + 15 * 3_600
    bars = [
        Bar(friday, 5, 5, 5, 5, 1, 700),
        Bar(friday + 60, 5, 5, 5, 5, 1, 800),
        Bar(friday + 120, 5, 5, 5, 5, 1),
    ]
    today = Bar(day_start(date(2026, 11, 23)) + 10 * 3_600, 5, 5, 5, 5, 1, 900)
    minute_bars.upsert(engine, {FUTURE: [*bars, today], HDFC: bars})
    assert past(FUTURE).oi == 800
    assert past(HDFC).oi is None


def test_the_memory_has_a_bound(figures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    past, reads = figures[0], []

    def read(_engine: Any, key: str) -> list[Candle]:
        reads.append(key)
        return []

    monkeypatch.setattr(module.chart_closes, "fetch_candles", read)
    keys = [f"NSE_EQ:{number}" for number in range(1, KEPT + 2)]
    for key in keys:
        past(key)
    past(keys[-1])
    assert len(reads) == KEPT + 1
    past(keys[0])  # the least recently used made room
    assert len(reads) == KEPT + 2
