"""Arrays from the bytes of SQL, and weekly candles from daily ones."""

from __future__ import annotations

import struct
from datetime import date

import numpy as np
import pytest

from ltp.core.history import candle
from ltp.screen.history import RECORD, from_packed, weekly

DAY = date(2024, 9, 20).toordinal() - date(1970, 1, 1).toordinal()


def packed(*rows: tuple[int, int, int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<i5q", *row) for row in rows)


def test_a_record_is_read_as_rupees_and_shares() -> None:
    history = from_packed(packed((DAY, 14_021_000, 14_100_500, 14_000_000, 14_055_000, 123_456)))
    assert history.days.tolist() == [DAY]
    assert history.days.dtype == np.int32
    assert [float(each[0]) for each in history[1:]] == [1402.10, 1410.05, 1400.0, 1405.5, 123456.0]


def test_the_layout_is_that_of_the_packed_candles() -> None:
    written = candle.pack([candle.Candle(date(2024, 9, 20), 10_000, 20_000, 5_000, 15_000, 7)])
    assert RECORD.itemsize == candle.RECORD.size == len(written)
    history = from_packed(written)
    assert (history.days[0], history.close[0], history.volume[0]) == (DAY, 1.5, 7.0)


def test_no_bytes_are_no_candles_and_no_weeks() -> None:
    assert from_packed(b"").close.size == 0
    assert weekly(from_packed(b"")).close.size == 0


def test_a_torn_record_is_refused() -> None:
    with pytest.raises(ValueError, match="a torn record"):
        from_packed(packed((DAY, 1, 1, 1, 1, 1))[:-1])


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ((DAY, 1, 1, 1, 1, 1), "days out of order"),
        ((DAY - 1, 1, 1, 1, 1, 1), "days out of order"),
        ((2**31 - 1, 1, 1, 1, 1, 1), "days out of order"),
        ((DAY + 1, 0, 1, 1, 1, 1), "prices not above 0"),
        ((DAY + 1, 1, 1, 0, 1, 1), "prices not above 0"),
        ((DAY + 1, 1, 1, 1, -5, 1), "prices not above 0"),
        ((DAY + 1, 1, 10**11 + 1, 1, 1, 1), "above a crore"),
        ((DAY + 1, 1, 1, 2, 1, 1), "a high below its low"),
        ((DAY + 1, 1, 1, 1, 1, -1), "a negative volume"),
    ],
)
def test_damaged_records_are_refused(second: tuple[int, int, int, int, int, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_packed(packed((DAY, 1, 1, 1, 1, 1), second))


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()


def test_weeks_run_from_monday_to_sunday_and_the_last_one_may_be_forming() -> None:
    rows = (
        (day("2025-01-29"), 100, 110, 90, 105, 1),  # Wednesday
        (day("2025-02-01"), 105, 130, 100, 120, 2),  # Saturday session, the same week
        (day("2025-02-03"), 121, 125, 80, 90, 4),  # Monday
        (day("2025-02-07"), 90, 99, 85, 95, 8),  # Friday
        (day("2025-02-11"), 95, 96, 94, 94, 16),  # Tuesday, after a holiday; the week goes on
    )
    weeks = weekly(
        from_packed(packed(*((row[0], *(each * 10_000 for each in row[1:5]), row[5]) for row in rows)))
    )
    assert weeks.days.tolist() == [day("2025-02-01"), day("2025-02-07"), day("2025-02-11")]
    assert weeks.open.tolist() == [100, 121, 95]
    assert weeks.high.tolist() == [130, 125, 96]
    assert weeks.low.tolist() == [90, 80, 94]
    assert weeks.close.tolist() == [120, 95, 94]
    assert weeks.volume.tolist() == [3, 12, 16]


def test_a_week_at_the_turn_of_the_year_is_one_week() -> None:
    rows = [
        (day(text), 10_000, 10_000, 10_000, 10_000, 1)
        for text in ("2024-12-30", "2024-12-31", "2025-01-01", "2025-01-03")
    ]
    assert weekly(from_packed(packed(*rows))).volume.tolist() == [4]
