from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.db import candles, corporate_actions
from ltp.db.daily_history import History, Wanted, fetch
from ltp.db.engine import open_engine, writing
from ltp.errors import DatabaseError

KEY = "NSE_EQ:1"
LAST = date(2026, 11, 20)
FIRST = LAST - timedelta(days=5_999)  # 16 years before
EVERY = Wanted(date.min, date.max, 10_000, newest=True)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def history(count: int, price: int = 100_0000) -> list[Candle]:
    return [Candle(LAST - timedelta(days=count - 1 - at), *[price + at] * 4, 10) for at in range(count)]


def test_the_newest_and_the_oldest_of_a_stretch(engine: Engine) -> None:
    stored = history(6_000)
    candles.upsert(engine, "raw", {KEY: stored, "NSE_EQ:2": history(10)})

    def found(first: date, last: date, most: int, *, newest: bool) -> list[Candle]:
        return fetch(engine, KEY, Wanted(first, last, most, newest), adjusted=False).candles

    assert found(date.min, date.max, 10_000, newest=True) == stored
    assert found(date.min, date.max, 700, newest=True) == stored[-700:]
    assert found(FIRST + timedelta(days=100), date.max, 700, newest=False) == stored[100:800]
    assert found(date.min, LAST - timedelta(days=1), 2, newest=True) == stored[-3:-1]
    assert found(LAST, FIRST, 5, newest=False) == []


def test_raw_is_returned_unless_adjusted_is_asked_for(engine: Engine) -> None:
    raw, restated = history(30), history(300, 50_0000)
    candles.upsert(engine, "raw", {KEY: raw})
    assert fetch(engine, KEY, EVERY, adjusted=False) == History(raw, "raw", adjusted=False, last=LAST)
    assert fetch(engine, KEY, EVERY, adjusted=True) == History(raw, "raw", adjusted=True, last=LAST)
    candles.upsert(engine, "adjusted", {KEY: restated, "NSE_EQ:2": restated})
    assert fetch(engine, KEY, EVERY, adjusted=False).candles == raw
    expected = History(restated, "adjusted", adjusted=True, last=LAST)
    assert fetch(engine, KEY, EVERY, adjusted=True) == expected
    assert fetch(engine, "NSE_EQ:2", EVERY, adjusted=False) == expected
    assert fetch(engine, "NSE_EQ:3", EVERY, adjusted=False) == History([], "raw", adjusted=False, last=None)


def test_a_confirmed_split_adjusts_raw_candles_and_a_suspected_one_hides_them(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: history(4)})
    split = Action(KEY, LAST - timedelta(days=1), 2, 1, "detected")
    corporate_actions.replace_detected(engine, [KEY], [split])
    oldest = Wanted(date.min, date.max, 1, newest=False)
    assert fetch(engine, KEY, oldest, adjusted=False).candles == history(4)[:1]
    assert fetch(engine, KEY, oldest, adjusted=True).candles == history(4)[2:3]
    corporate_actions.confirm(engine, [split])
    [first] = fetch(engine, KEY, oldest, adjusted=True).candles
    assert first == Candle(LAST - timedelta(days=3), *[50_0000] * 4, 20)


@pytest.mark.parametrize("keep", [3, 1])
def test_damaged_records_are_refused(engine: Engine, keep: int) -> None:
    candles.upsert(engine, "raw", {KEY: history(1)})
    with writing(engine) as connection:
        connection.execute(text(f"UPDATE daily_candles SET packed = substr(packed, {keep + 1})"))
    with pytest.raises(ValueError, match="a torn record"):
        fetch(engine, KEY, EVERY, adjusted=True)


def test_a_locked_database_is_waited_for_but_a_moment(engine: Engine) -> None:
    other = sqlite3.connect(str(engine.url.database), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match="cannot be read"):
        fetch(engine, KEY, EVERY, adjusted=False)
    other.close()
