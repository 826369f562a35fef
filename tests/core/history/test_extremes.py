"""The figures of 52 weeks and of 20 sessions, from literal candles."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ltp.core.history.candle import Candle, pack, unpack
from ltp.core.history.corporate_action import Action
from ltp.core.history.extremes import Ends, Extremes, ends_of, extremes

TODAY = date(2026, 11, 30)  # a Monday


def candle(day: date, low: int, high: int, volume: int = 100) -> Candle:
    return Candle(day, low, high, low, high, volume)


def test_the_extremes_are_of_the_days_within_52_weeks() -> None:
    candles = [
        candle(date(2025, 11, 28), 1, 9_999_000),  # 52 weeks and three days before
        candle(date(2025, 12, 1), 900_000, 1_000_000),
        candle(date(2026, 3, 2), 800_000, 950_000),
        candle(date(2026, 11, 27), 850_000, 990_000, volume=300),
    ]
    assert extremes(candles, TODAY) == Extremes(
        800_000, 1_000_000, 990_000, date(2025, 12, 1), date(2026, 11, 27), True, 167, 3
    )


def test_a_younger_share_has_no_full_year() -> None:
    found = extremes([candle(date(2026, 9, 1), 5, 7)], TODAY)
    assert found is not None
    assert (found.full, found.first) == (False, date(2026, 9, 1))


def test_the_average_volume_leaves_out_the_day_itself_and_older_sessions_than_twenty() -> None:
    days = [TODAY - timedelta(days=back) for back in range(25, -1, -1)]
    candles = [candle(day, 5, 7, volume=back) for back, day in zip(range(25, -1, -1), days, strict=True)]
    candles[-1] = candles[-1]._replace(volume=1_000_000)
    found = extremes(candles, TODAY)
    assert found is not None
    assert (found.average_volume, found.volume_sessions) == (11, 20)  # 1 to 20 average 10.5
    assert found.last == TODAY


def test_an_index_has_extremes_and_no_average_volume() -> None:
    found = extremes([candle(date(2026, 11, 27), 5, 7, volume=0)], TODAY)
    assert found is not None
    assert (found.low, found.high, found.average_volume) == (5, 7, None)


def test_without_a_session_in_52_weeks_there_is_none() -> None:
    assert extremes([], TODAY) is None
    assert extremes([candle(date(2024, 1, 1), 5, 7)], TODAY) is None
    assert extremes([candle(TODAY + timedelta(days=1), 5, 7)], TODAY) is None


def test_the_ends_of_packed_sessions_are_adjusted_for_a_split() -> None:
    packed = pack([candle(date(2026, 11, 2), 900, 1_200), candle(date(2026, 11, 27), 480, 500)])
    assert ends_of(packed) == Ends(480, 1_200, unpack(packed)[-1].close)
    split = Action("NSE_EQ:1", date(2026, 11, 20), 2, 1, "confirmed")
    adjusted = ends_of(packed, [split])
    assert adjusted is not None
    assert adjusted[:2] == (450, 600)
    unknown = split._replace(state="detected")
    waiting = ends_of(packed, [unknown])
    assert waiting is not None
    assert waiting[:2] == (480, 500)
    assert ends_of(b"") is None


def test_ends_of_damaged_records_are_refused() -> None:
    packed = pack([candle(date(2026, 11, 2), 0, 5)])
    for damaged in (packed, packed[:-1], packed + b"x"):
        with pytest.raises(ValueError, match=r"prices not above 0|torn record"):
            ends_of(damaged)
