from __future__ import annotations

import random
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.db import candles, chart_closes, corporate_actions
from ltp.db.engine import open_engine, writing
from ltp.errors import DatabaseError

KEY = "NSE_EQ:1"
LAST = date(2026, 11, 20)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def history(count: int, rupees: float = 100.0, last: date = LAST) -> list[Candle]:
    chance = random.Random(7)
    prices = [round(rupees * (1 + chance.random() / 50) * 10_000) for _ in range(count)]
    return [Candle(last - timedelta(days=count - 1 - at), *[price] * 4, 1) for at, price in enumerate(prices)]


def test_three_years_are_read_in_two_queries_of_one_share(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: history(2_000), "NSE_EQ:2": history(10)})
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    assert chart_closes.fetch_candles(engine, KEY) == history(2_000)[-chart_closes.DAYS - 1 :]
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 2


def test_the_basis_is_the_one_that_a_screen_takes(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: history(5)})
    candles.upsert(engine, "adjusted", {KEY: history(300, 50.0)})
    assert chart_closes.fetch_candles(engine, KEY) == history(300, 50.0)
    candles.upsert(engine, "raw", {KEY: history(400)})
    assert chart_closes.fetch_candles(engine, KEY) == history(400)


def test_damaged_candles_are_not_drawn(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: history(30)})
    with writing(engine) as connection:
        connection.execute(text("UPDATE daily_candles SET packed = substr(packed, 3)"))
    with pytest.raises(ValueError, match="out of range"):
        chart_closes.fetch_candles(engine, KEY)


def test_a_busy_database_is_waited_for_but_a_moment(engine: Engine) -> None:
    other = sqlite3.connect(str(engine.url.database), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseError, match="cannot be read"):
        chart_closes.fetch_candles(engine, KEY)
    other.close()


def test_candles_before_a_confirmed_split_are_adjusted(engine: Engine) -> None:
    candles.upsert(engine, "raw", {KEY: history(3)})
    split = Action(KEY, LAST, 5, 1, "confirmed")
    corporate_actions.confirm(engine, [split])
    first, _, last = chart_closes.fetch_candles(engine, KEY)
    assert (first.close, first.volume) == (round(history(3)[0].close / 5), 5)
    assert last == history(3)[-1]


def test_there_may_be_no_candles(engine: Engine) -> None:
    assert chart_closes.fetch_candles(engine, KEY) == []
