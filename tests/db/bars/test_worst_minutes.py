from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine, update

from ltp.core.bars.bar import BROKER, REVISED, Bar
from ltp.core.bars.comparison import Difference
from ltp.db.bars import worst_minutes
from ltp.db.bars.worst_minutes import MOST, WorstMinute
from ltp.db.engine import open_engine, writing

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
OPEN = 1_795_405_500


def difference(minute: int, price_ppm: int, volume_ppm: int = 0) -> Difference:
    own = Bar(OPEN + minute * 60, 100_0000, 101_0000, 99_0000, 100_0000, 7, None, REVISED)
    return Difference(own, own._replace(high=102_0000, marks=0, sources=BROKER), price_ppm, volume_ppm)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


def test_the_worst_minutes_come_first_with_both_bars(engine: Engine) -> None:
    worst_minutes.keep(engine, HDFC, MONDAY, [difference(0, 5), difference(1, 50, 2)])
    worst_minutes.keep(engine, TCS, MONDAY, [difference(0, 50, 9)])
    worst_minutes.keep(engine, TCS, TUESDAY, [difference(1_440, 1)])
    worst_minutes.keep(engine, TCS, TUESDAY, [])
    assert worst_minutes.fetch(engine, MONDAY) == [
        WorstMinute(TCS, *difference(0, 0)[:2]),
        WorstMinute(HDFC, *difference(1, 0)[:2]),
        WorstMinute(HDFC, *difference(0, 0)[:2]),
    ]
    assert len(worst_minutes.fetch(engine, TUESDAY)) == 1
    assert worst_minutes.fetch(engine, date(2026, 11, 25)) == []


def test_a_session_keeps_a_bounded_number(engine: Engine) -> None:
    worst_minutes.keep(engine, TCS, TUESDAY, [difference(0, 1)])
    for key in (HDFC, TCS):
        worst_minutes.keep(engine, key, MONDAY, [difference(minute, minute) for minute in range(MOST)])
    minutes = [(each.own.start - OPEN) // 60 for each in worst_minutes.fetch(engine, MONDAY)]
    assert minutes == sorted([*range(MOST // 2, MOST)] * 2, reverse=True)
    assert len(worst_minutes.fetch(engine, TUESDAY)) == 1


def test_a_minute_that_is_kept_again_has_its_new_bars(engine: Engine) -> None:
    for ppm in (7, 3):
        worst_minutes.keep(engine, HDFC, MONDAY, [difference(0, ppm)])
    assert len(worst_minutes.fetch(engine, MONDAY)) == 1


def test_old_sessions_are_deleted(engine: Engine) -> None:
    worst_minutes.keep(engine, HDFC, MONDAY, [difference(0, 1)])
    worst_minutes.keep(engine, HDFC, TUESDAY, [difference(0, 1)])
    worst_minutes.delete_before(engine, TUESDAY)
    assert worst_minutes.fetch(engine, MONDAY) == []
    assert len(worst_minutes.fetch(engine, TUESDAY)) == 1


def test_a_damaged_row_is_left_out(engine: Engine) -> None:
    worst_minutes.keep(engine, HDFC, MONDAY, [difference(0, 1), difference(1, 1)])
    damaged = update(worst_minutes.table).where(worst_minutes.table.c.start == OPEN)
    with writing(engine) as connection:
        connection.execute(damaged.values(packed=b"\x07"))
    assert [each.own.start for each in worst_minutes.fetch(engine, MONDAY)] == [OPEN + 60]
