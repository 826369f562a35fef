from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from ltp.batch.thin_days import thin_days
from ltp.db.candles import CandleDay

DAY = date(2025, 6, 24)


def sessions(*counts: int, apart: int = 1) -> list[CandleDay]:
    """Days of so many shares each, DAY being the first."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        CandleDay(DAY + timedelta(days=apart * n), f"{n}.csv", count, at) for n, count in enumerate(counts)
    ]


def test_a_day_of_far_fewer_shares_than_its_neighbours_is_reported() -> None:
    assert thin_days(sessions(1199, 2000, 2010, 1990), [DAY]) == [
        "2025-06-24 has 1,199 shares, and the days around it 2,000: 0.csv may have been cut; "
        "import that day again from a whole file."
    ]


def test_a_day_of_usual_size_is_not_reported() -> None:
    assert thin_days(sessions(1200, 2000, 2000, 2000), [DAY]) == []
    assert thin_days(sessions(2500, 2000, 2000, 2000), [DAY]) == []


def test_only_imported_days_are_looked_at() -> None:
    assert thin_days(sessions(1199, 2000, 2000), [DAY + timedelta(days=1)]) == []


def test_days_far_away_or_of_few_shares_are_no_measure() -> None:
    assert thin_days(sessions(10, 2000, 2000, apart=31), [DAY]) == []
    assert thin_days(sessions(10, 99, 99), [DAY]) == []
    assert thin_days(sessions(10), [DAY]) == []


def test_the_five_nearest_days_count() -> None:
    assert thin_days(sessions(110, 150, 150, 150, 150, 150, 9000, 9000, 9000, 9000, 9000, 9000), [DAY]) == []
