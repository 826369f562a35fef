from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.minute_upkeep import Upkeep, delete_before, keep_up
from ltp.core.bars.bar import Bar
from ltp.db import minute_bars
from ltp.db.engine import open_engine

HDFC = "NSE_EQ:1333"
OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
DAY_S = 86_400
MONDAY, TUESDAY = date(2026, 11, 30), date(2026, 12, 1)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def bars_of(days_later: int) -> list[Bar]:
    """Return two bars, which lie in two blocks."""
    start = OPEN + days_later * DAY_S
    return [Bar(at, 100_0000, 101_0000, 99_0000, 100_5000, 7) for at in (start, start + 1_200)]


def test_sessions_before_today_are_packed_and_old_ones_deleted(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [*bars_of(-61), *bars_of(-60), *bars_of(0), *bars_of(1)]})
    assert keep_up(engine, TUESDAY, 61) == Upkeep(packed=2, deleted=2)
    assert minute_bars.count_blocks(engine) == 1 + 1 + 2  # today's stay apart
    kept = minute_bars.fetch(engine, HDFC, OPEN - 100 * DAY_S, OPEN + 2 * DAY_S)
    assert kept == [*bars_of(-60), *bars_of(0), *bars_of(1)]
    assert keep_up(engine, TUESDAY, 61) == Upkeep(0, 0)


def test_many_blocks_are_deleted_in_parts(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[int] = []
    prune = minute_bars.prune

    def noted(engine: Engine, before: int) -> int:
        parts.append(prune(engine, before, most=3))
        return parts[-1]

    monkeypatch.setattr(minute_bars, "prune", noted)
    minute_bars.upsert(engine, {HDFC: [bar for day in range(-4, 1) for bar in bars_of(day)]})
    assert delete_before(engine, MONDAY) == 8
    assert parts == [3, 3, 2, 0]
