from __future__ import annotations

from datetime import date
from pathlib import Path

from ltp.core.bars.comparison import Comparison
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.instrument import Instrument
from ltp.db import candles, corporate_actions, instruments, universes
from ltp.db.bars import bar_audits
from ltp.db.engine import open_engine, writing
from ltp.db.rekey import move
from tests.db.of_an_instrument import COUNTS, count, counted, store, stored

OLD, NEW, OTHER = "NSE_EQ:501", "NSE_EQ:502", "NSE_EQ:503"


def candle(day: date, close: int) -> Candle:
    return Candle(day, close, close, close, close, 1)


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
    store(engine, OLD, first)
    bar_audits.add(engine, OLD, [(second, Comparison(7), True)])
    bar_audits.add(engine, NEW, [(second, Comparison(9), False)])
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
        assert stored(engine, first, [OLD, NEW]) == [NEW]
        assert (bar_audits.of_day(engine, first), bar_audits.of_day(engine, second)) == (
            COUNTS,
            Comparison(9),
        )
        assert [(action.key, action.source) for action in corporate_actions.fetch(engine)] == [
            (NEW, OLD),
            (OTHER, OTHER),
        ]
        assert (universes.keys(engine, "list-a"), universes.keys(engine, "list-b")) == ([NEW, OTHER], [NEW])
        assert instruments.fetch_names(engine) == {("NSE_EQ", "WAS"): NEW}
