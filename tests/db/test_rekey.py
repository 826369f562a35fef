from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine

from ltp.core.bars.bar import Bar
from ltp.core.bars.comparison import Comparison, Difference
from ltp.core.bars.coverage import Span
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.instrument import Instrument
from ltp.db import candles, corporate_actions, instruments, universes
from ltp.db.bars import bar_audits, coverage, worst_minutes
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine, reading, writing
from ltp.db.history import sessions, summary
from ltp.db.history.sessions import Session
from ltp.db.history.summary import MINUTES, Stored
from ltp.db.rekey import move

BAR = Bar(1_796_010_300, 10, 12, 9, 11, 100)
OLD, NEW, OTHER = "NSE_EQ:501", "NSE_EQ:502", "NSE_EQ:503"


def candle(day: date, close: int) -> Candle:
    return Candle(day, close, close, close, close, 1)


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


def test_counts_of_both_keys_are_deleted_because_their_bars_change(tmp_path: Path) -> None:
    engine, keys = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"), (OLD, NEW, OTHER)
    count(engine, keys)
    assert counted(engine, keys) == (set(keys), set(keys))
    with writing(engine) as connection:
        move(connection, OLD, NEW)
    assert counted(engine, keys) == ({OTHER}, {OTHER})


def test_all_rows_move_and_rows_of_the_new_key_stay(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    first, second, third = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2))
    candles.upsert(engine, "raw", {OLD: [candle(first, 1), candle(second, 2)], OTHER: [candle(first, 9)]})
    candles.upsert(engine, "raw", {NEW: [candle(second, 20), candle(third, 30)]})
    candles.upsert(engine, "adjusted", {OLD: [candle(first, 4)]})
    bar_audits.add(engine, OLD, [(first, Comparison(5), True), (second, Comparison(7), True)])
    bar_audits.add(engine, NEW, [(second, Comparison(9), False)])
    coverage.store(engine, [Connected(1, 100, 900)], [Subscription(OLD, 100, 500, 1)])
    coverage.note_refill(engine, OLD, second, 300)
    worst_minutes.keep(engine, OLD, second, [Difference(BAR, BAR, 1, 1)])
    corporate_actions.confirm(
        engine, [Action(key, first, 2, 1, "confirmed", "", key) for key in (OLD, OTHER)]
    )
    universes.replace(engine, "list-a", "A", "", [OLD, OTHER])
    universes.replace(engine, "list-b", "B", "", [OLD, NEW])
    instruments.seed(engine, [Instrument("NSE_EQ", 501, "WAS", "", "", 1, 5)])
    instruments.seed(engine, [Instrument("NSE_EQ", 501, "IS", "", "", 1, 5)])
    for _ in range(2):  # a second time finds nothing left
        with writing(engine) as connection:
            move(connection, OLD, NEW)
        assert candles.fetch(engine, "raw", NEW) == [candle(first, 1), candle(second, 20), candle(third, 30)]
        assert candles.fetch(engine, "adjusted", NEW) == [candle(first, 4)]
        assert candles.fetch(engine, "raw", OLD) == candles.fetch(engine, "adjusted", OLD) == []
        assert candles.fetch(engine, "raw", OTHER) == [candle(first, 9)]
        assert bar_audits.final_days(engine, NEW, first, third) == {first}
        assert coverage.of_instrument(engine, NEW, 0) == [Span(100, 500)]
        assert coverage.of_instrument(engine, OLD, 0) == []
        assert coverage.refills_of_day(engine, second) == {NEW: 300}
        assert [each.key for each in worst_minutes.fetch(engine, second)] == [NEW]
        assert (bar_audits.of_day(engine, first), bar_audits.of_day(engine, second)) == (
            Comparison(5),
            Comparison(9),
        )
        assert [(action.key, action.source) for action in corporate_actions.fetch(engine)] == [
            (NEW, OLD),
            (OTHER, OTHER),
        ]
        assert (universes.keys(engine, "list-a"), universes.keys(engine, "list-b")) == ([NEW, OTHER], [NEW])
        assert instruments.fetch_names(engine) == {("NSE_EQ", "WAS"): NEW}
