from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.minutes import roll_up
from ltp.batch.minutes.upkeep import delete_old
from ltp.core.bars.bar import PARTIAL, Bar
from ltp.core.market.session import Calendar
from ltp.core.trading_day import day_start
from ltp.db import minute_bars
from ltp.db.bars import five_minute_bars
from ltp.db.bars.five_minute_bars import Made
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError

HDFC, GOLD = "NSE_EQ:1333", "MCX_COMM:1"
CALENDAR = Calendar.load()
MONDAY = day_start(date(2026, 8, 3))  # the first day with a closing auction
DAY_S = 86_400
END = 2**40


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def minute(clock: str, price: int = 100_0000, marks: int = 0, day: int = 3) -> Bar:
    at = int(datetime.fromisoformat(f"2026-08-{day:02d}T{clock}+05:30").timestamp())
    return Bar(at, price, price, price, price, 10, None, marks)


def fives(engine: Engine, key: str = HDFC) -> list[tuple[str, int, int]]:
    """Return time, volume and marks of five-minute bars."""
    found = five_minute_bars.fetch_columns(engine, key, 0, END).bars()
    return [(f"{datetime.fromtimestamp(bar.start, CLOCK):%H:%M}", bar.volume, bar.marks) for bar in found]


CLOCK = datetime.fromisoformat("2026-08-03T00:00+05:30").tzinfo


def test_old_sessions_become_five_minute_bars_before_they_are_deleted(engine: Engine) -> None:
    old = [
        minute("09:08"),
        *(minute(f"15:1{last}", marks=PARTIAL * (last == 4)) for last in range(8)),
        minute("15:31"),
        minute("15:36"),  # outside of the trading hours
        minute("15:52"),
    ]
    minute_bars.upsert(engine, {HDFC: [*old, minute("09:15", day=4)], GOLD: [minute("23:29")]})
    assert delete_old(engine, CALENDAR, MONDAY + DAY_S, MONDAY - DAY_S) == (6, 0)
    assert fives(engine) == [
        ("09:05", 10, 0),  # pre-open
        ("15:10", 50, PARTIAL),
        ("15:15", 30, 0),  # the closing auction, not joined with the minutes before
        ("15:30", 10, 0),
        ("15:50", 10, 0),  # post-close
    ]
    assert fives(engine, GOLD) == [("23:25", 10, 0)]
    assert minute_bars.fetch(engine, HDFC, 0, END) == [minute("09:15", day=4)]
    assert delete_old(engine, CALENDAR, MONDAY + DAY_S, MONDAY - DAY_S) == (0, 0)
    assert len(fives(engine)) == 5


def test_five_minute_bars_end_when_they_are_older_than_is_kept(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute("10:00"), minute("10:00", day=4)]})
    delete_old(engine, CALENDAR, MONDAY + 2 * DAY_S, MONDAY)
    assert len(fives(engine)) == 2
    assert delete_old(engine, CALENDAR, MONDAY + 2 * DAY_S, MONDAY + DAY_S) == (0, 1)
    assert len(fives(engine)) == 1


def test_sessions_older_than_both_are_deleted_without_five_minute_bars(engine: Engine) -> None:
    minute_bars.upsert(engine, {HDFC: [minute("10:00")]})
    assert delete_old(engine, CALENDAR, MONDAY + DAY_S, MONDAY + DAY_S) == (1, 0)
    assert fives(engine) == []


def test_nothing_is_deleted_where_no_five_minute_bars_can_be_made(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> int:
        raise DatabaseError("The database cannot be written: disk full")

    monkeypatch.setattr(five_minute_bars, "make", away)
    minute_bars.upsert(engine, {HDFC: [minute("10:00")]})
    with pytest.raises(DatabaseError):
        delete_old(engine, CALENDAR, MONDAY + DAY_S, MONDAY)
    assert minute_bars.fetch(engine, HDFC, 0, END) == [minute("10:00")]


def test_transactions_are_small(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll_up, "_AT_ONCE", 2)
    monkeypatch.setattr(minute_bars, "_READ", 3)
    sizes = []
    make = five_minute_bars.make

    def counted(engine: Engine, sessions: list[tuple[str, int]], rolled: object) -> Made:
        sizes.append(len(sessions))
        return make(engine, sessions, rolled)  # type: ignore[arg-type]

    monkeypatch.setattr(five_minute_bars, "make", counted)
    minute_bars.upsert(engine, {f"NSE_EQ:{number}": [minute("10:00")] for number in range(1, 8)})
    assert roll_up.keep_fives(engine, CALENDAR, MONDAY, MONDAY + DAY_S) == 7
    assert sizes == [2, 1, 2, 1, 1]
