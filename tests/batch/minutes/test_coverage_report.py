from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import Engine

from ltp.batch.minutes.coverage_report import SegmentCoverage, line, report
from ltp.core.bars.comparison import Comparison
from ltp.core.bars.coverage import Span
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, IST, day_start
from ltp.db.bars import bar_audits, coverage
from ltp.db.bars.coverage import Connected, Subscription
from ltp.db.engine import open_engine

HDFC, TCS, GOLD = "NSE_EQ:1333", "NSE_EQ:11536", "MCX_COMM:1"
DAY = date(2026, 11, 23)
MIDNIGHT = day_start(DAY)
OPEN = MIDNIGHT + 33_300
EVENING = datetime(2026, 11, 23, 17, 0, tzinfo=IST)
CALENDAR = Calendar.load()


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


def test_the_minutes_and_instruments_of_each_segment_are_counted(engine: Engine) -> None:
    assert report(engine, CALENDAR, EVENING) == (0, [])
    spans = [Connected(1, OPEN - 1_800, OPEN + 600), Connected(1, OPEN + 780, MIDNIGHT + DAY_S)]
    late = Subscription(TCS, OPEN + 3_600, MIDNIGHT + DAY_S, 1)
    early = [Subscription(key, MIDNIGHT, MIDNIGHT + DAY_S, 1) for key in (HDFC, GOLD)]
    coverage.store(engine, spans, [*early, late])
    coverage.note_refill(engine, HDFC, DAY, OPEN + 780)
    gap = Span(OPEN + 600, OPEN + 780)
    midnight, found = report(engine, CALENDAR, datetime(2026, 11, 23, 10, 0, 15, tzinfo=IST))
    assert (midnight, [each.segment for each in found]) == (MIDNIGHT, ["MCX_COMM", "NSE_EQ"])
    assert found[1] == SegmentCoverage("NSE_EQ", 60, [gap], 2, 0, 1)
    bar_audits.add(engine, TCS, [(DAY, Comparison(), True)])
    assert report(engine, CALENDAR, EVENING)[1][1].filled == 2


def test_a_line_names_the_gaps() -> None:
    gap = Span(OPEN, OPEN + 180)
    assert line(SegmentCoverage("NSE_EQ", 375, [], 1, 1, 0)) == (
        "connected in 375 of 375 minutes; 1 instrument subscribed, 1 of them in all minutes"
    )
    assert line(SegmentCoverage("NSE_EQ", 375, [gap] * 8, 2_500, 0, 12)) == (
        "connected in 351 of 375 minutes, not 09:15 to 09:18, 09:15 to 09:18, 09:15 to 09:18, 09:15 to 09:18,"
        " 09:15 to 09:18, 09:15 to 09:18 and 2 more; 2,500 instruments subscribed, 0 of them in all minutes;"
        " the gaps of 12 have the broker's bars"
    )
