from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from ltp.core.history import candle
from ltp.core.history.candle import Candle
from ltp.db import candles, recent_candles
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import daily_candles

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def day(offset: int, close: int = 100_0000) -> Candle:
    return Candle(date(2024, 12, 30) + timedelta(days=offset), 100_0000, 110_0000, 90_0000, close, 7)


def test_candles_come_back_by_day(engine: Engine) -> None:
    assert candles.upsert(engine, "raw", {HDFC: [day(3), day(0), day(1)], NIFTY: [day(0)]}) == 4
    assert candles.fetch(engine, "raw", HDFC) == [day(0), day(1), day(3)]
    assert candles.fetch(engine, "raw", TCS) == []


def test_the_same_again_changes_nothing(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(0), day(3)]})
    assert candles.upsert(engine, "raw", {HDFC: [day(3), day(0)]}) == 0
    assert candles.upsert(engine, "raw", {HDFC: [day(3, close=101_0000)]}) == 1
    assert candles.upsert(engine, "raw", {}) == 0
    assert candles.fetch(engine, "raw", HDFC) == [day(0), day(3, close=101_0000)]


def test_raw_and_adjusted_never_meet(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(0)]})
    candles.upsert(engine, "adjusted", {HDFC: [day(1)]})
    assert candles.fetch(engine, "raw", HDFC) == [day(0)]
    assert candles.fetch(engine, "adjusted", HDFC) == [day(1)]
    candles.replace(engine, "adjusted", HDFC, [])
    assert candles.fetch(engine, "adjusted", HDFC) == []
    assert candles.last_days(engine, "raw") == {HDFC: day(0).day}


def test_a_year_is_one_row(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(offset) for offset in range(5)]})
    with reading(engine) as connection:
        years = (
            connection.execute(select(daily_candles.c.year).order_by(daily_candles.c.year)).scalars().all()
        )
    assert years == [2024, 2025]


def test_the_beginning_of_each_history(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(0), day(1), day(2), day(3)], TCS: [day(3)]})
    candles.upsert(engine, "adjusted", {NIFTY: [day(0)]})
    found = candles.beginnings(engine, "raw", 3)
    assert {key: candle.unpack(packed) for key, packed in found.items()} == {
        HDFC: [day(0), day(1), day(2)],
        TCS: [day(3)],
    }


def test_many_instruments_are_read_at_once_between_two_days(engine: Engine) -> None:
    candles.upsert(engine, "raw", {key: [day(0), day(1), day(2), day(3)] for key in (HDFC, TCS, NIFTY)})
    found = candles.fetch_packed(engine, "raw", [HDFC, NIFTY, "NSE_EQ:7"], day(1).day, day(2).day)
    assert {key: candle.unpack(packed) for key, packed in found.items()} == {
        HDFC: [day(1), day(2)],
        NIFTY: [day(1), day(2)],
    }
    assert set(candles.fetch_packed(engine, "raw", None, day(0).day, day(3).day)) == {HDFC, TCS, NIFTY}
    assert candles.fetch_packed(engine, "raw", None, date(2020, 1, 1), date(2020, 12, 31)) == {}
    assert candles.fetch_packed(engine, "raw", [], day(0).day, day(3).day) == {}


def test_an_id_of_another_segment_is_another_instrument(engine: Engine) -> None:
    candles.upsert(engine, "raw", {"NSE_EQ:13": [day(0)], NIFTY: [day(1)]})
    assert set(candles.fetch_packed(engine, "raw", ["NSE_EQ:13"], date.min, date.max)) == {"NSE_EQ:13"}


def test_more_keys_than_a_query_names_are_read(engine: Engine) -> None:
    keys = [f"NSE_EQ:{number}" for number in range(1, 1001)]
    candles.upsert(engine, "raw", {key: [day(0)] for key in [*keys, NIFTY]})
    assert candles.fetch_packed(engine, "raw", keys, date.min, date.max).keys() == set(keys)


def test_the_newest_day_of_each_is_known(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(0), day(5)], TCS: [day(1)]})
    assert candles.last_days(engine, "raw") == {HDFC: day(5).day, TCS: day(1).day}
    assert candles.last_days(engine, "adjusted") == {}


def test_a_history_is_replaced_whole(engine: Engine) -> None:
    candles.upsert(engine, "adjusted", {HDFC: [day(0), day(400)], TCS: [day(0)]})
    candles.replace(engine, "adjusted", HDFC, [day(1)])
    assert candles.fetch(engine, "adjusted", HDFC) == [day(1)]
    assert candles.fetch(engine, "adjusted", TCS) == [day(0)]


def test_a_history_goes_on_under_another_id(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(0), day(1)], TCS: [day(1, close=101_0000), day(400)]})
    with writing(engine) as connection:
        assert candles.move(connection, HDFC, TCS)
        assert not candles.move(connection, HDFC, TCS)
    assert candles.fetch(engine, "raw", HDFC) == []
    assert candles.fetch(engine, "raw", TCS) == [day(0), day(1, close=101_0000), day(400)]


def test_of_two_imports_of_a_session_the_fuller_one_stays(engine: Engine) -> None:
    assert candles.newest_day(engine) is None
    with writing(engine) as connection:
        candles.note_day(connection, day(1).day, "b.zip", 2000)
        candles.note_day(connection, day(0).day, "a.zip", 1999)
        candles.note_day(connection, day(1).day, "one.csv", 1)
    assert [(session.day, session.source, session.instruments) for session in candles.days(engine)] == [
        (day(0).day, "a.zip", 1999),
        (day(1).day, "b.zip", 2000),
    ]
    assert candles.newest_day(engine) == day(1).day
    before = candles.days(engine)
    with writing(engine) as connection:
        candles.note_day(connection, day(1).day, "b.zip", 2000)
    assert candles.days(engine) == before


def test_a_write_that_fails_stores_nothing(engine: Engine) -> None:
    def half() -> None:
        with writing(engine) as connection:
            candles.upsert_packed(connection, "raw", {HDFC: candle.pack([day(0)])})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert candles.fetch(engine, "raw", HDFC) == []


def test_an_import_mends_a_torn_year(engine: Engine) -> None:
    candles.upsert(engine, "raw", {HDFC: [day(3), day(4)]})
    with writing(engine) as connection:
        connection.execute(text("UPDATE daily_candles SET packed = substr(packed, 1, length(packed) - 7)"))
    assert recent_candles.fetch_since(engine, "raw", [HDFC], day(3).day, day(4).day) == {}
    assert (candles.fetch(engine, "raw", HDFC), candles.last_days(engine, "raw")) == ([], {})
    assert candles.upsert(engine, "raw", {HDFC: [day(4), day(5)]}) == 2
    assert candles.fetch(engine, "raw", HDFC) == [day(3), day(4), day(5)]
