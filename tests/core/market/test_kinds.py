"""Literal days of the calendar: which kind a bar is of, and that no longer bar joins two kinds or spans a break."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.bars.timeframe import MINUTES, rolled_up
from ltp.core.instrument import SEGMENTS
from ltp.core.market.kinds import ALL, USUAL, kinds
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST, day_start

CALENDAR = Calendar.load()


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp())


def kinds_at(segment: str, day: str, *clocks: str) -> list[str]:
    return kinds(CALENDAR, segment, [at(f"{day} {clock}") for clock in clocks])


@pytest.mark.parametrize(
    ("segment", "day", "by_clock"),
    [
        (  # a Friday before the closing auction began
            "NSE_EQ",
            "2026-07-31",
            {
                "08:59": "closed",
                "09:00": "pre_open",
                "09:14": "pre_open",
                "09:15": "continuous",
                "15:29": "continuous",
                "15:30": "closed",
                "15:39": "closed",
                "15:40": "post_close",
                "15:59": "post_close",
                "16:00": "closed",
            },
        ),
        (  # the Monday on which it began
            "NSE_EQ",
            "2026-08-03",
            {
                "09:07": "pre_open",
                "15:14": "continuous",
                "15:15": "closing_auction",
                "15:34": "closing_auction",
                "15:35": "closed",
                "15:49": "closed",
                "15:50": "post_close",
            },
        ),
        ("IDX_I", "2026-08-03", {"15:30": "closing_auction", "15:50": "closed"}),
        ("NSE_FNO", "2026-08-03", {"15:30": "continuous", "15:39": "continuous", "15:40": "closed"}),
        (  # muhurat, a Sunday: its own pre-open and one hour
            "NSE_EQ",
            "2026-11-08",
            {
                "09:15": "closed",
                "18:00": "pre_open",
                "18:15": "continuous",
                "19:14": "continuous",
                "19:15": "closed",
            },
        ),
        ("NSE_EQ", "2026-02-01", {"09:08": "pre_open", "15:29": "continuous"}),  # a Sunday with the Budget
        ("NSE_EQ", "2025-02-01", {"09:08": "pre_open", "15:29": "continuous"}),  # a Saturday with the Budget
        ("NSE_EQ", "2026-02-07", {"09:08": "closed", "12:00": "closed"}),  # a Saturday without
        ("MCX_COMM", "2026-11-30", {"09:00": "continuous", "23:54": "continuous", "23:55": "closed"}),
        ("MCX_COMM", "2026-06-15", {"23:29": "continuous", "23:30": "closed"}),  # summer time in the US
        ("MCX_COMM", "2026-11-10", {"16:59": "closed", "17:00": "continuous"}),  # the evening alone
        ("MCX_COMM", "2026-01-01", {"16:59": "continuous", "17:00": "closed"}),  # the morning alone
        ("NSE_CURRENCY", "2026-11-30", {"09:00": "continuous", "16:59": "continuous", "17:00": "closed"}),
    ],
)
def test_the_kind_of_a_minute(segment: str, day: str, by_clock: dict[str, str]) -> None:
    assert dict(zip(by_clock, kinds_at(segment, day, *by_clock), strict=True)) == by_clock


def test_bars_of_several_days() -> None:
    clocks = [
        "2026-07-31 15:20",
        "2026-08-01 12:00",
        "2026-08-01 12:01",
        "2026-11-30 09:05",
        "2026-11-30 15:20",
    ]
    starts = [at(each) for each in clocks]
    assert kinds(CALENDAR, "NSE_EQ", starts) == [
        "continuous", "closed", "closed", "pre_open", "closing_auction",
    ]  # fmt: skip
    assert kinds(Calendar.always_open(), "NSE_EQ", starts) == ["continuous"] * 5
    assert kinds(CALENDAR, "NSE_EQ", []) == []


def test_what_a_chart_shows_is_a_part_of_what_there_is() -> None:
    assert set(USUAL) < set(ALL)


def of_minute(start: int) -> Bar:
    """A bar whose open and close are its start, so that a longer one names its first and last minute."""
    return Bar(start, start, start, start, start, 1)


def test_an_hour_ends_with_its_session() -> None:
    """On 2026-08-03 the last hour of shares is 15:15 alone, an auction: none joins 14:15 with 15:15."""
    windows = [(each.start, each.end) for each in CALENDAR.windows("NSE_EQ", date(2026, 8, 3))]
    minutes = [of_minute(day_start(date(2026, 8, 3)) + minute * 60) for minute in range(1_440)]
    hours = [
        (datetime.fromtimestamp(bar.start, IST).strftime("%H:%M"), bar.volume)
        for bar in rolled_up(minutes, 60, windows)
    ]
    assert hours == [
        ("09:00", 15),  # pre-open
        *((f"{hour:02d}:15", 60) for hour in range(9, 15)),
        ("15:15", 20),  # closing auction
        ("15:50", 10),  # post-close
    ]


def test_a_year_of_sessions_has_no_bar_that_spans_two_windows() -> None:
    """Each different day of 2026 of each segment, with a bar in every minute of the day."""
    layouts: dict[tuple[tuple[int, int], ...], int] = {}
    sessions = dict.fromkeys(SEGMENTS, 0)
    for segment in SEGMENTS:
        for number in range(365):
            day = date(2026, 1, 1) + timedelta(days=number)
            windows = CALENDAR.windows(segment, day)
            sessions[segment] += bool(windows)
            midnight = day_start(day)
            layouts[tuple((each.start - midnight, each.end - midnight) for each in windows)] = midnight
    assert (sessions["NSE_EQ"], sessions["IDX_I"], sessions["NSE_FNO"]) == (247, 247, 247)
    assert len(layouts) > 10
    for layout, midnight in layouts.items():
        windows_ = [(midnight + first, midnight + end) for first, end in layout]
        minutes = [of_minute(midnight + minute * 60) for minute in range(1_440)]
        for length in MINUTES:
            longer = list(rolled_up(minutes, length, windows_))
            for bar in longer:
                [(first, end)] = [each for each in windows_ if each[0] <= bar.start < each[1]]
                assert first <= bar.open <= bar.close < end
                assert bar.close < bar.start + length * 60
                assert bar.open == bar.start
            assert sum(bar.volume for bar in longer) * 60 == sum(end - first for first, end in layout)
