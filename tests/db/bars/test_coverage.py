from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update

from ltp.core.bars.bar import Bar
from ltp.core.bars.coverage import Span
from ltp.core.trading_day import day_start
from ltp.db import candle_source, minute_bars
from ltp.db.bars import coverage
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.bars.tables import bar_refills, feed_connections, feed_subscriptions
from ltp.db.engine import open_engine, writing

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
DAY = date(2026, 11, 30)
MIDNIGHT, END = day_start(DAY), day_start(date(2026, 12, 1))
OPEN = MIDNIGHT + 33_300  # 09:15
FIRST, SECOND = OPEN * 1_000_000, (OPEN + 600) * 1_000_000  # two runs


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: Any, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:  # tests share the server
        for table in (feed_connections, feed_subscriptions, bar_refills):
            connection.execute(delete(table))
        connection.execute(update(candle_source.candle_source).values(simulated=False))
    return server


def test_an_instrument_is_covered_while_connected_and_subscribed(engine: Engine) -> None:
    assert coverage.store(
        engine,
        [Connected(FIRST, OPEN, OPEN + 100), Connected(FIRST, OPEN + 120, OPEN + 300)],
        [Subscription(HDFC, OPEN - 5, END, FIRST), Subscription(TCS, OPEN + 200, OPEN + 250, FIRST)],
    )
    assert coverage.of_instrument(engine, HDFC, MIDNIGHT) == [
        Span(OPEN, OPEN + 100),
        Span(OPEN + 120, OPEN + 300),
    ]
    assert coverage.of_instrument(engine, TCS, MIDNIGHT) == [Span(OPEN + 200, OPEN + 250)]
    assert coverage.of_day(engine, MIDNIGHT) == {
        key: coverage.of_instrument(engine, key, MIDNIGHT) for key in (HDFC, TCS)
    }
    assert coverage.of_instrument(engine, "NSE_EQ:1", MIDNIGHT) == []
    assert coverage.of_day(engine, END) == {}


def test_a_subscription_of_a_worker_that_was_killed_counts_on_its_own_connections_alone(
    engine: Engine,
) -> None:
    coverage.store(engine, [Connected(FIRST, OPEN, OPEN + 100)], [Subscription(HDFC, OPEN, END, FIRST)])
    coverage.store(
        engine, [Connected(SECOND, OPEN + 600, OPEN + 900)], [Subscription(TCS, OPEN + 600, END, SECOND)]
    )
    assert coverage.of_instrument(engine, HDFC, MIDNIGHT) == [Span(OPEN, OPEN + 100)]
    assert coverage.of_instrument(engine, TCS, MIDNIGHT) == [Span(OPEN + 600, OPEN + 900)]
    assert coverage.subscribed_last(engine, MIDNIGHT) == {TCS}
    assert coverage.connected(engine, MIDNIGHT) == [Span(OPEN, OPEN + 100), Span(OPEN + 600, OPEN + 900)]


def test_a_span_is_extended_and_ended(engine: Engine) -> None:
    for until in (OPEN + 5, OPEN + 10):
        coverage.store(engine, [Connected(FIRST, OPEN, until)], [Subscription(HDFC, OPEN, END, FIRST)])
    coverage.store(engine, [], [Subscription(HDFC, OPEN, OPEN + 8, FIRST)])
    assert coverage.of_instrument(engine, HDFC, MIDNIGHT) == [Span(OPEN, OPEN + 8)]
    assert coverage.subscribed_last(engine, MIDNIGHT) == set()


def test_coverage_of_the_other_source_is_not_stored(engine: Engine) -> None:
    rows = [Connected(FIRST, OPEN, OPEN + 100)], [Subscription(HDFC, OPEN, END, FIRST)]
    assert not coverage.store(engine, *rows, simulated=True)
    with writing(engine) as connection:
        connection.execute(update(candle_source.candle_source).values(simulated=True))
    assert not coverage.store(engine, *rows)
    assert coverage.newest_midnight(engine) is None
    assert coverage.store(engine, *rows, simulated=True)
    assert coverage.newest_midnight(engine) == MIDNIGHT
    minute_bars.upsert(
        engine, {HDFC: [Bar(OPEN, 1, 1, 1, 1, 0)]}
    )  # real ones take the place of simulated ones
    assert coverage.newest_midnight(engine) is None
    assert coverage.of_day(engine, MIDNIGHT) == {}


def test_refills_are_noted_by_session(engine: Engine) -> None:
    assert coverage.refilled_until(engine, HDFC, DAY) == 0
    for until in (OPEN + 60, OPEN + 600):
        coverage.note_refill(engine, HDFC, DAY, until)
    assert coverage.refilled_until(engine, HDFC, DAY) == OPEN + 600
    assert coverage.refills_of_day(engine, DAY) == {HDFC: OPEN + 600}
    assert coverage.refills_of_day(engine, date(2026, 12, 1)) == {}


def test_old_days_are_deleted_a_few_rows_at_a_time(engine: Engine) -> None:
    for key in (HDFC, TCS, "NSE_EQ:25"):
        coverage.store(engine, [Connected(FIRST, OPEN, END)], [Subscription(key, OPEN, END, FIRST)])
        coverage.note_refill(engine, key, DAY, OPEN)
    coverage.store(engine, [Connected(END, END, END + 60)], [Subscription(HDFC, END, END + 60, END)])
    assert coverage.prune(engine, END, most=2) == 2
    assert coverage.connected(engine, MIDNIGHT) == [Span(OPEN, END)]
    assert coverage.prune(engine, END, most=2) == 1
    assert coverage.connected(engine, MIDNIGHT) == []
    assert coverage.refills_of_day(engine, DAY) == {}
    assert coverage.of_instrument(engine, HDFC, END) == [Span(END, END + 60)]
