from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from ltp.core.bars.comparison import Comparison
from ltp.db import bar_audits
from ltp.db.engine import open_engine

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


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
