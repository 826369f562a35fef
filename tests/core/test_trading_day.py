from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ltp.core.history.candle import day_number
from ltp.core.trading_day import (
    date_of,
    day_start,
    days_since_1970,
    is_session,
    midnight_of,
    session_date,
    session_of,
    settled_day,
)

MIDNIGHT = 1_795_977_000  # 2026-11-30T00:00:00+05:30


@pytest.mark.parametrize(
    ("epoch_s", "session"),
    [
        (1795408200.0, "2026-11-23"),
        (1795372199.0, "2026-11-22"),
        (1795372200.0, "2026-11-23"),
        (1795458599.9, "2026-11-23"),
    ],
)
def test_a_session_is_the_day_in_india(epoch_s: float, session: str) -> None:
    """Midnight there is 18:30 UTC."""
    assert session_of(epoch_s) == session


def test_a_day_begins_at_midnight_in_india() -> None:
    assert midnight_of(MIDNIGHT) == midnight_of(MIDNIGHT + 86_399) == MIDNIGHT
    assert midnight_of(MIDNIGHT - 1) == MIDNIGHT - 86_400
    assert (date_of(MIDNIGHT), date_of(MIDNIGHT - 1)) == (date(2026, 11, 30), date(2026, 11, 29))
    assert day_start(date(2026, 11, 30)) == MIDNIGHT


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2026, 11, 30)])
def test_days_are_counted_as_those_of_candles(day: date) -> None:
    assert days_since_1970(day_start(day)) == days_since_1970(day_start(day) + 86_399) == day_number(day)


def test_session_date() -> None:
    assert session_date("2026-11-23") == date(2026, 11, 23)
    assert session_date("") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", True), ("2026-11-23", True), ("20261123", False), ("2026-13-01", False), (None, False), (5, False)],
)
def test_a_session_is_an_iso_date_or_empty(value: object, expected: bool) -> None:
    assert is_session(value) is expected


@pytest.mark.parametrize(("hour", "minute", "day"), [(10, 44, 22), (10, 45, 23)])
def test_candles_of_a_day_are_settled_at_a_quarter_past_four_in_india(
    hour: int, minute: int, day: int
) -> None:
    assert settled_day(datetime(2026, 11, 23, hour, minute, tzinfo=UTC)) == date(2026, 11, day)
