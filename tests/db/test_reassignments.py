from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.core.history.candle import Candle
from ltp.core.screener import Row
from ltp.db import candles, reassignments, universes
from ltp.db.bars import bar_audits
from ltp.db.engine import open_engine, writing
from ltp.db.runs import fetch_keys, insert_run
from tests.db.of_an_instrument import COUNTS, count, counted, store, stored

OLD, OTHER = "NSE_FNO:45000", "NSE_EQ:1333"
CANDLE = Candle(date(2026, 11, 20), 10, 12, 9, 11, 100)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    candles.upsert(engine, "raw", {OLD: [CANDLE], OTHER: [CANDLE]})
    universes.replace(engine, "list-a", "A", "", [OLD, OTHER])
    yield engine
    engine.dispose()


def clear(engine: Engine) -> None:
    with writing(engine) as connection:
        reassignments.clear(connection, reassignments.pending(engine))


def test_rows_of_the_former_instrument_are_deleted_once(engine: Engine) -> None:
    run = insert_run(engine, "swing", [Row(OLD, 1, "A"), Row(OTHER, 2, "B")], sample=False)
    for key in (OLD, OTHER):
        store(engine, key, CANDLE.day)
    before = datetime.now(UTC)
    with writing(engine) as connection:
        reassignments.note(connection, [OLD])
    clear(engine)
    assert set(candles.last_days(engine, "raw")) == {OTHER}
    assert universes.fetch(engine)["list-a"].size == 1
    assert fetch_keys(engine, run) == [OTHER]
    assert bar_audits.of_day(engine, CANDLE.day) == COUNTS
    assert stored(engine, CANDLE.day, [OLD, OTHER]) == [OTHER]
    candles.upsert(engine, "raw", {OLD: [CANDLE]})
    clear(engine)
    assert set(candles.last_days(engine, "raw")) == {OLD, OTHER}
    since = reassignments.lately(engine, 60)
    assert list(since) == [OLD]
    assert before <= since[OLD] <= datetime.now(UTC)
    assert reassignments.lately(engine, -1) == {}


def test_counts_of_the_former_instrument_are_deleted(engine: Engine) -> None:
    keys = (OLD, OTHER)
    count(engine, keys)
    assert counted(engine, keys) == (set(keys), set(keys))
    with writing(engine) as connection:
        reassignments.note(connection, [OLD])
    clear(engine)
    assert counted(engine, keys) == ({OTHER}, {OTHER})


def test_a_key_can_be_reassigned_again(engine: Engine) -> None:
    for _ in range(2):
        with writing(engine) as connection:
            reassignments.note(connection, [OLD])
        assert reassignments.pending(engine) == [OLD]
        clear(engine)
