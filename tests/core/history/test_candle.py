from __future__ import annotations

from datetime import date

import pytest

from ltp.core.history import candle
from ltp.core.history.candle import Candle

MONDAY = Candle(date(2024, 12, 30), 100_0000, 110_0000, 99_0000, 105_0000, 5_000_000_000)
TUESDAY = Candle(date(2024, 12, 31), 105_0000, 106_0000, 101_0000, 102_0000, 20)
NEW_YEAR = Candle(date(2025, 1, 1), 102_0000, 103_0000, 102_0000, 103_0000, 0)


def test_a_record_is_44_bytes_little_endian() -> None:
    packed = candle.pack([Candle(date(1970, 1, 2), 1, 3, 1, 2, 4)])
    numbers = (
        "0100000000000000",
        "0300000000000000",
        "0100000000000000",
        "0200000000000000",
        "0400000000000000",
    )
    assert packed == bytes.fromhex("01000000" + "".join(numbers))
    assert len(packed) == candle.RECORD.size == 44


def test_packed_and_unpacked_are_the_same_by_day() -> None:
    assert candle.unpack(candle.pack([NEW_YEAR, MONDAY, TUESDAY])) == [MONDAY, TUESDAY, NEW_YEAR]
    assert candle.pack([]) == b""
    assert candle.unpack(b"") == []


def test_days_before_1970_are_days_too() -> None:
    early = MONDAY._replace(day=date(1969, 12, 31))
    assert candle.unpack(candle.pack([early])) == [early]
    assert candle.day_of(candle.day_number(early.day)) == early.day


def test_new_candles_replace_old_ones_of_the_same_day() -> None:
    corrected = TUESDAY._replace(close=104_0000)
    merged = candle.merge(candle.pack([MONDAY, TUESDAY]), candle.pack([NEW_YEAR, corrected]))
    assert candle.unpack(merged) == [MONDAY, corrected, NEW_YEAR]


def test_of_two_of_a_day_the_later_counts() -> None:
    first, second = candle.record(TUESDAY), candle.record(TUESDAY._replace(volume=21))
    assert candle.unpack(candle.merge(b"", first + second)) == [TUESDAY._replace(volume=21)]


def test_older_days_are_put_where_they_belong() -> None:
    merged = candle.merge(candle.pack([NEW_YEAR]), candle.pack([TUESDAY]) + candle.pack([MONDAY]))
    assert candle.unpack(merged) == [MONDAY, TUESDAY, NEW_YEAR]


def test_years_are_parted_at_new_year() -> None:
    parts = candle.by_year(candle.pack([MONDAY, TUESDAY, NEW_YEAR]))
    assert {year: candle.unpack(part) for year, part in parts.items()} == {
        2024: [MONDAY, TUESDAY],
        2025: [NEW_YEAR],
    }
    assert candle.by_year(b"") == {}


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2024, 12, 30), date(2025, 1, 1), [MONDAY, TUESDAY, NEW_YEAR]),
        (date(2024, 12, 31), date(2024, 12, 31), [TUESDAY]),
        (date(2025, 1, 2), date(2026, 1, 1), []),
        (date.min, date.max, [MONDAY, TUESDAY, NEW_YEAR]),
    ],
)
def test_both_ends_of_a_time_are_included(first: date, last: date, expected: list[Candle]) -> None:
    assert candle.unpack(candle.between(candle.pack([MONDAY, TUESDAY, NEW_YEAR]), first, last)) == expected


def test_only_changed_candles_are_counted() -> None:
    old = candle.pack([MONDAY, TUESDAY])
    assert candle.count_changed(old, old) == 0
    assert candle.count_changed(old, candle.pack([TUESDAY._replace(volume=1), NEW_YEAR])) == 2


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        ((100, 110, 90, 105), ""),
        ((100, 100, 100, 100), ""),
        ((100, 89, 90, 100), "the high is below the low"),
        ((111, 110, 90, 100), "the open is not between low and high"),
        ((100, 110, 90, 89), "the close is not between low and high"),
    ],
)
def test_an_impossible_candle_is_named(prices: tuple[int, int, int, int], reason: str) -> None:
    assert candle.fault(Candle(date(2025, 1, 1), *prices, 1)) == reason
