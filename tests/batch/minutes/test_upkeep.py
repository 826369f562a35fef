from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update

from ltp.batch.minutes import upkeep
from ltp.batch.minutes.upkeep import delete_old, pack_sessions
from ltp.core.bars.bar import Bar
from ltp.core.market.session import Calendar
from ltp.db import minute_bars, schema
from ltp.db.bars import coverage
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine, writing
from tests.postgresql import PostgreSQL

HDFC = "NSE_EQ:1333"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
DAY_S = 86_400
CALENDAR = Calendar.load()
MIDNIGHT = OPEN - 9 * 3_600 - 15 * 60


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def bars_of(days_later: int) -> list[Bar]:
    """Return two bars, which lie in two blocks."""
    start = OPEN + days_later * DAY_S
    return [Bar(at, 100_0000, 101_0000, 99_0000, 100_5000, 7) for at in (start, start + 1_200)]


def deleted(engine: Engine, before: int) -> tuple[int, int]:
    return delete_old(engine, CALENDAR, before, before - 700 * DAY_S)


def test_sessions_before_today_are_packed_and_old_ones_deleted(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [*bars_of(-61), *bars_of(-60), *bars_of(0), *bars_of(1)]})
    assert deleted(engine, MIDNIGHT - 60 * DAY_S) == (2, 0)
    assert pack_sessions(engine, MIDNIGHT + DAY_S) == 2
    assert minute_bars.count_blocks(engine) == 1 + 1 + 2  # today's stay apart
    kept = minute_bars.fetch(engine, HDFC, OPEN - 100 * DAY_S, OPEN + 2 * DAY_S)
    assert kept == [*bars_of(-60), *bars_of(0), *bars_of(1)]
    assert deleted(engine, MIDNIGHT - 60 * DAY_S) == (0, 0)
    assert pack_sessions(engine, MIDNIGHT + DAY_S) == 0


def test_many_blocks_are_deleted_in_parts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_AT_ONCE", 3)
    minute_bars.upsert(engine, {HDFC: [bar for day in range(-4, 1) for bar in bars_of(day)]})
    seen: list[int] = []

    def progress(stage: str, done: int, _all: int) -> None:
        if stage == "pruning":
            seen.append(done)

    assert delete_old(engine, CALENDAR, MIDNIGHT, MIDNIGHT, progress) == (8, 0)
    assert seen == [0, 3, 6, 0]


def test_old_blocks_go_beside_a_month_that_is_dropped_whole(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_AT_ONCE", 3)
    server = open_engine(postgresql.url())
    with writing(server) as connection:  # tests share the server
        for table in (schema.minute_bars, schema.five_minute_bars, schema.kept_sessions):
            connection.execute(delete(table))
        connection.execute(update(schema.candle_source).values(simulated=False))
    # November's last day is dropped with its month; of December three days are old and one is kept.
    minute_bars.upsert(server, {HDFC: [bar for day in range(5) for bar in bars_of(day)]})
    before = MIDNIGHT + 4 * DAY_S
    assert delete_old(server, CALENDAR, before, before) == (8, 0)
    assert minute_bars.fetch(server, HDFC, MIDNIGHT, MIDNIGHT + 9 * DAY_S) == bars_of(4)


def test_the_coverage_of_deleted_days_goes_with_them(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_ROWS_AT_ONCE", 1)
    for day in (-61, -60):
        at = OPEN + day * DAY_S
        subscriptions = [Subscription(key, at, at + 60, at) for key in (HDFC, "NSE_EQ:25")]
        coverage.store(engine, [Connected(at, at, at + 60)], subscriptions)
    assert deleted(engine, MIDNIGHT - 60 * DAY_S) == (0, 0)
    assert coverage.of_day(engine, MIDNIGHT - 61 * DAY_S) == {}
    assert len(coverage.of_day(engine, MIDNIGHT - 60 * DAY_S)) == 2
