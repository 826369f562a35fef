from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ltp.core.trading_day import is_session, session_date, session_of, settled_day


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
