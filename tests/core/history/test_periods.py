from __future__ import annotations

from datetime import date

import pytest

from ltp.core.history.candle import Candle
from ltp.core.history.periods import first_day, last_day, rolled_up


@pytest.mark.parametrize(
    ("timeframe", "day", "first", "last"),
    [
        ("1d", date(2026, 11, 29), date(2026, 11, 29), date(2026, 11, 29)),
        ("1w", date(2026, 11, 30), date(2026, 11, 30), date(2026, 12, 6)),
        ("1w", date(2026, 11, 29), date(2026, 11, 23), date(2026, 11, 29)),
        ("1M", date(2024, 2, 1), date(2024, 2, 1), date(2024, 2, 29)),
        ("1M", date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_day_lies_in_its_week_and_month(timeframe: str, day: date, first: date, last: date) -> None:
    assert (first_day(day, timeframe), last_day(day, timeframe)) == (first, last)


CANDLES = [
    Candle(date(2026, 10, 29), 100, 120, 90, 110, 5),
    Candle(date(2026, 10, 30), 110, 115, 80, 85, 7),
    Candle(date(2026, 11, 1), 85, 130, 84, 95, 11),  # a Sunday with a session
    Candle(date(2026, 11, 3), 96, 97, 95, 96, 0),
]


def test_weeks_begin_on_monday() -> None:
    assert list(rolled_up(CANDLES, "1w")) == [
        Candle(date(2026, 10, 26), 100, 130, 80, 95, 23),
        Candle(date(2026, 11, 2), 96, 97, 95, 96, 0),
    ]


def test_months_are_of_the_calendar() -> None:
    assert list(rolled_up(CANDLES, "1M")) == [
        Candle(date(2026, 10, 1), 100, 120, 80, 85, 12),
        Candle(date(2026, 11, 1), 85, 130, 84, 96, 11),
    ]


def test_days_stay_as_they_are() -> None:
    assert list(rolled_up(CANDLES, "1d")) == CANDLES
    assert list(rolled_up([], "1w")) == []
