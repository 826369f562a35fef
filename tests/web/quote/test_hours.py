"""The trading hours on a quote page, by the shipped calendar."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.web.quote.hours import WindowLine, day_hours

NSE = Calendar.load()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def test_the_windows_of_a_day_with_the_one_that_is_on() -> None:
    found = day_hours(NSE, "NSE_EQ", at("2026-07-01 10:41"))
    assert (found.day, found.name, found.on_next) == (date(2026, 7, 1), "", "")
    assert found.windows == (
        WindowLine("Pre-open", "09:00", "09:15", False),
        WindowLine("Continuous", "09:15", "15:30", True),
        WindowLine("Post-close", "15:40", "16:00", False),
    )


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("2026-07-01 08:00", "Next: pre-open, 09:00"),
        ("2026-07-01 15:35", "Next: post-close, 15:40"),
        ("2026-07-01 16:00", "Next: pre-open, Thu 2 Jul, 09:00"),
        ("2026-07-03 16:00", "Next: pre-open, Mon 6 Jul, 09:00"),
    ],
)
def test_between_windows_the_next_one_is_named(now: str, sentence: str) -> None:
    assert day_hours(NSE, "NSE_EQ", at(now)).on_next == sentence


def test_a_holiday_has_its_name_and_the_next_session() -> None:
    found = day_hours(NSE, "NSE_EQ", at("2026-11-24 10:00"))
    assert (found.windows, found.on_next) == ((), "Next: pre-open, Wed 25 Nov, 09:00")
    assert "Guru Nanak" in found.name


def test_a_weekend_has_no_session() -> None:
    assert day_hours(NSE, "NSE_EQ", at("2026-07-04 10:00")).name == "No session today"


def test_a_market_that_is_always_open_has_one_window() -> None:
    found = day_hours(Calendar.always_open(), "NSE_EQ", at("2026-07-04 10:00"))
    assert found.windows == (WindowLine("Continuous", "00:00", "24:00", True),)
    assert (found.name, found.on_next) == ("", "")
