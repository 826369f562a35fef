from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.core.bars.bar import Bar
from ltp.core.bars.comparison import Comparison, Difference
from ltp.core.bars.coverage import Span
from ltp.core.history.candle import Candle
from ltp.core.screener import Row
from ltp.db import candles, reassignments, universes
from ltp.db.bars import bar_audits, coverage, worst_minutes
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine, reading, writing
from ltp.db.history import sessions, summary
from ltp.db.history.sessions import Session
from ltp.db.history.summary import MINUTES, Stored
from ltp.db.runs import fetch_keys, insert_run

OLD, OTHER = "NSE_FNO:45000", "NSE_EQ:1333"
BAR = Bar(1_796_010_300, 10, 12, 9, 11, 100)
CANDLE = Candle(date(2026, 11, 20), 10, 12, 9, 11, 100)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    candles.upsert(engine, "raw", {OLD: [CANDLE], OTHER: [CANDLE]})
    universes.replace(engine, "list-a", "A", "", [OLD, OTHER])
    yield engine
    engine.dispose()


def count(engine: Engine, keys: tuple[str, ...]) -> None:
    """Store counts of some bars for each key."""
    day, at = date(2026, 11, 20), datetime(2026, 11, 20, 19, 33, tzinfo=UTC)
    rows = [Stored(key, MINUTES, day, day, 1, 0, 0, "", 9, 9, 0, 0, 0, 99, at) for key in keys]
    with writing(engine) as connection:
        sessions.write(connection, {(key, 20_777): Session(9, 0, 0, 99, 1) for key in keys}, ())
        summary.write_in(connection, rows)


def counted(engine: Engine, keys: tuple[str, ...]) -> tuple[set[str], set[str]]:
    """Return the keys that have counts, by session and by instrument."""
    with reading(engine) as connection:
        return set(sessions.counted_in(connection, keys)), summary.keys_in(connection, MINUTES)


def clear(engine: Engine) -> None:
    with writing(engine) as connection:
        reassignments.clear(connection, reassignments.pending(engine))


def test_rows_of_the_former_instrument_are_deleted_once(engine: Engine) -> None:
    run = insert_run(engine, "swing", [Row(OLD, 1, "A"), Row(OTHER, 2, "B")], sample=False)
    for key in (OLD, OTHER):
        bar_audits.add(engine, key, [(CANDLE.day, Comparison(5), True)])
        coverage.store(engine, [Connected(1, 100, 900)], [Subscription(key, 100, 500, 1)])
        coverage.note_refill(engine, key, CANDLE.day, 300)
        worst_minutes.keep(engine, key, CANDLE.day, [Difference(BAR, BAR, 1, 1)])
    before = datetime.now(UTC)
    with writing(engine) as connection:
        reassignments.note(connection, [OLD])
    clear(engine)
    assert set(candles.last_days(engine, "raw")) == {OTHER}
    assert universes.fetch(engine)["list-a"].size == 1
    assert fetch_keys(engine, run) == [OTHER]
    assert bar_audits.of_day(engine, CANDLE.day) == Comparison(5)
    assert coverage.of_day(engine, 0) == {OTHER: [Span(100, 500)]}
    assert coverage.refills_of_day(engine, CANDLE.day) == {OTHER: 300}
    assert [each.key for each in worst_minutes.fetch(engine, CANDLE.day)] == [OTHER]
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
