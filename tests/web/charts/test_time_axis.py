from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from ltp.core.bars.bar import Bar
from ltp.web.charts.time_axis import TimeAxis

DAY = date(2026, 11, 27)
OPEN = 1_795_751_100  # 09:15 of that day in India


def session(count: int, minutes: int, back: int = 0) -> list[Bar]:
    return [Bar(OPEN - back * 86_400 + at * minutes * 60, 1, 1, 1, 1, 1) for at in range(count)]


def labels(bars: list[Bar], days: list[date], *, daily: bool = False) -> list[tuple[str, str]]:
    """Return the anchor and text of each label."""
    markup = TimeAxis(bars, days, len(bars), daily=daily).markup(300)
    return re.findall(r'text-anchor="(\w+)">([^<]+)<', markup)


def names(bars: list[Bar], days: list[date], *, daily: bool = False) -> list[str]:
    return [name for _, name in labels(bars, days, daily=daily)]


@pytest.mark.parametrize(
    ("count", "minutes", "expected"),
    [
        (75, 5, ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]),
        (4, 5, ["09:20", "09:25", "09:30"]),
        (15, 25, ["10:05", "11:20", "12:10", "13:00", "14:15", "15:05"]),
        (3, 125, ["11:20", "13:25"]),
    ],
)
def test_a_session_has_the_first_bars_of_round_times(count: int, minutes: int, expected: list[str]) -> None:
    assert names(session(count, minutes), [DAY] * count) == expected


def test_a_wide_chart_has_more_of_them() -> None:
    assert len(names(session(375, 1), [DAY] * 375)) == 12


def test_sessions_have_their_days_and_a_line_at_each_break() -> None:
    bars = session(75, 5, 3) + session(75, 5, 1) + session(75, 5)
    days = [day for back in (3, 1, 0) for day in [DAY - timedelta(days=back)] * 75]
    assert labels(bars, days) == [("start", "24 Nov"), ("start", "26 Nov"), ("start", "27 Nov")]
    markup = TimeAxis(bars, days, 225, daily=False).markup(300)
    assert re.findall(r'<line class="break" x1="([\d.]+)%"', markup) == ["33.33", "66.67"]


def test_a_session_that_has_just_begun_has_its_day_before_the_edge() -> None:
    bars, days = session(75, 5, 1) + session(2, 5), [DAY - timedelta(days=1)] * 75 + [DAY] * 2
    assert labels(bars, days) == [("start", "26 Nov"), ("end", "27 Nov")]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (5, ["24 Nov", "25 Nov", "26 Nov", "27 Nov"]),
        (60, ["14 Sep", "28 Sep", "12 Oct", "26 Oct", "9 Nov", "23 Nov"]),
        (150, ["Jun 2026", "Jul 2026", "Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026"]),
    ],
)
def test_daily_candles_have_days_or_weeks_or_months(count: int, expected: list[str]) -> None:
    assert names(session(count, 1), weekdays(count), daily=True)[-len(expected) :] == expected


def test_three_years_have_every_third_month() -> None:
    assert names(session(750, 1), weekdays(750), daily=True)[:3] == ["Feb 2024", "May 2024", "Aug 2024"]


def weekdays(count: int) -> list[date]:
    """Return the newest days up to a Friday."""
    weeks = (DAY - timedelta(days=back) for back in range(count * 2))
    return [day for day in weeks if day.weekday() < 5][:count][::-1]


def test_one_candle_has_its_day() -> None:
    assert names(session(1, 5), [DAY], daily=True) == ["27 Nov"]


def test_times_do_not_overlap_where_bars_are_missing() -> None:
    bars = session(14, 1) + [bar._replace(start=bar.start + 3_000) for bar in session(2, 1)]
    assert names(bars, [DAY] * 16) == ["09:20", "09:25", "10:05"]
