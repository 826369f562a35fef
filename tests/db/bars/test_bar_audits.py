from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from ltp.core.bars.comparison import Comparison
from ltp.db.bars import bar_audits
from ltp.db.engine import open_engine, writing

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: Any, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        connection.execute(delete(bar_audits.table))  # tests share the server
    return server


def test_comparisons_of_a_session_add_up(engine: Engine) -> None:
    bar_audits.add(engine, HDFC, [(MONDAY, Comparison(10, 9, 8, 7, 6, 5), False)])
    bar_audits.add(
        engine, HDFC, [(MONDAY, Comparison(2, 2, 2, 2, 2, 0), True), (TUESDAY, Comparison(1), True)]
    )
    bar_audits.add(engine, TCS, [(MONDAY, Comparison(100, 1, 1, 1, 1, 1), False)])
    assert bar_audits.of_day(engine, MONDAY) == Comparison(112, 12, 11, 10, 9, 6)
    assert bar_audits.of_day(engine, TUESDAY) == Comparison(1)
    assert bar_audits.of_day(engine, date(2026, 11, 25)) == Comparison()


def test_a_session_that_was_fetched_after_its_end_stays_final(engine: Engine) -> None:
    bar_audits.add(engine, HDFC, [(MONDAY, Comparison(), True), (TUESDAY, Comparison(), False)])
    bar_audits.add(engine, HDFC, [(MONDAY, Comparison(), False)])
    assert bar_audits.final_days(engine, HDFC, MONDAY, TUESDAY) == {MONDAY}
    assert bar_audits.final_days(engine, HDFC, TUESDAY, TUESDAY) == set()
    assert bar_audits.final_days(engine, TCS, MONDAY, TUESDAY) == set()
    bar_audits.add(engine, HDFC, [])


def test_the_newest_sessions_come_with_their_sums(engine: Engine) -> None:
    bar_audits.add(
        engine, HDFC, [(MONDAY, Comparison(375, 5, 4, 3, 2, 1), True), (TUESDAY, Comparison(2), True)]
    )
    bar_audits.add(
        engine, TCS, [(MONDAY, Comparison(5, 5, 5, 5, 5, 5), True), (TUESDAY, Comparison(), False)]
    )
    assert bar_audits.newest_days(engine, 60) == [TUESDAY, MONDAY]
    assert bar_audits.newest_days(engine, 1) == [TUESDAY]
    assert bar_audits.sessions(engine, [MONDAY, TUESDAY, date(2026, 11, 25)]) == [
        bar_audits.Session(TUESDAY, 1, Comparison(2), False),
        bar_audits.Session(MONDAY, 2, Comparison(380, 10, 9, 8, 7, 6), True),
    ]
    assert bar_audits.sessions(engine, []) == []


def test_the_worst_instruments_of_a_session_come_first(engine: Engine) -> None:
    good, bad = Comparison(100, 100, 100, 100, 100, 99), Comparison(3, 3, 3, 3, 3, 2)
    bar_audits.add(engine, HDFC, [(MONDAY, good, True), (TUESDAY, Comparison(1), True)])
    bar_audits.add(engine, TCS, [(MONDAY, bad, False)])
    bar_audits.add(engine, "NSE_EQ:2031", [(MONDAY, Comparison(), True)])
    expected = [
        bar_audits.OfInstrument(TCS, bad, False),
        bar_audits.OfInstrument(HDFC, good, True),
    ]
    assert bar_audits.worst(engine, MONDAY, 200) == expected
    assert bar_audits.worst(engine, MONDAY, 1) == expected[:1]


def test_old_comparisons_are_deleted(engine: Engine) -> None:
    bar_audits.add(engine, HDFC, [(MONDAY, Comparison(1), True), (TUESDAY, Comparison(2), True)])
    bar_audits.add(engine, TCS, [(MONDAY, Comparison(3), True)])
    assert bar_audits.delete_before(engine, TUESDAY) == 2
    assert bar_audits.newest_days(engine, 60) == [TUESDAY]
