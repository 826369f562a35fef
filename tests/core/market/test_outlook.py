from __future__ import annotations

from datetime import date, timedelta

import pytest

from ltp.core.market.holidays import packaged_tables, parse_tables
from ltp.core.market.outlook import outlook, short_notice, toml_text

TABLES = packaged_tables()


def test_provisional_days_of_a_month_ahead_are_listed() -> None:
    assert outlook(TABLES, date(2026, 11, 6))[-1].first == date(2026, 11, 24)
    sentences = [notice.sentence for notice in outlook(TABLES, date(2026, 11, 30))]
    assert sentences == [
        "The trading hours of IDX_I from 2026-12-07 are provisional (closing auction 15:30-15:40).",
        "The trading hours of NSE_EQ, BSE_EQ from 2026-12-07 are provisional (closing auction 15:30-15:40).",
        "The trading hours of NSE_FNO, BSE_FNO from 2026-12-07 are provisional (equity derivatives to "
        "15:45).",
        "The trading hours of NSE_CURRENCY, MCX_COMM, BSE_CURRENCY on 2026-12-25 are provisional "
        "(Christmas).",
    ]


def test_a_year_without_a_table_is_listed_a_month_before_it_begins() -> None:
    assert not any("2027" in notice.sentence for notice in outlook(TABLES, date(2026, 12, 1)))
    notice = outlook(TABLES, date(2026, 12, 2))[-1]
    assert (notice.first, notice.sentence) == (
        date(2027, 1, 1),
        "There is no holiday table for 2027: every weekday is taken for a trading day.",
    )


@pytest.mark.parametrize(
    "today", [date(2024, 1, 1), date(2026, 1, 1), date(2026, 11, 6), date(2026, 12, 2), date(2027, 3, 1)]
)
def test_the_lines_make_it_certain_and_change_no_hours(today: date) -> None:
    notices = outlook(TABLES, today)
    assert notices
    mended = TABLES.under(parse_tables(toml_text(notices)))
    assert outlook(mended, today) == []
    for ahead in range(31):
        day = today + timedelta(days=ahead)
        if day.month == 1 and day.day == 26:
            continue  # the example of the lines for a new year
        assert [mended.lookup(segment, day)[0] for segment in ("NSE_EQ", "IDX_I", "NSE_FNO", "MCX_COMM")] == [
            TABLES.lookup(segment, day)[0] for segment in ("NSE_EQ", "IDX_I", "NSE_FNO", "MCX_COMM")
        ]


def test_certain_days_give_no_notice() -> None:
    tables = parse_tables(
        """
        years = [2026]
        [[rules]]
        name = "equity cash"
        segments = ["NSE_EQ"]
        effective_from = 2020-01-01
        continuous = ["09:15-15:30"]
        """
    )
    assert outlook(tables, date(2026, 12, 1)) == []
    assert [notice.first for notice in outlook(tables, date(2026, 12, 2))] == [date(2027, 1, 1)]


def test_pages_name_the_first_day() -> None:
    notices = outlook(TABLES, date(2026, 12, 1))
    assert short_notice(notices, []) == "trading hours provisional from 7 Dec"
    assert short_notice(notices, ["2026-12-05"]) == "trades dated 5 Dec refused"
    assert short_notice([], []) == ""
