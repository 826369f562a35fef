"""Ticks: prices of the day kept apart, fields filled in, the instant of the trade."""

from __future__ import annotations

import pytest

from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices, Tick

TICK = Tick("NSE_EQ:1333", 100, 1_795_408_200, 7, 1, 2, 3, 4, 5, 6, "2026-11-23", 8)


def test_single_prices_of_the_day_are_read_and_replaced_by_name() -> None:
    assert TICK.day == DayPrices(2, 3, 4, 5)
    changed = TICK._replace(high=9, oi=None)
    assert (changed.day, changed.oi, changed.low) == (DayPrices(2, 9, 4, 5), None, 4)
    assert Tick(**TICK._asdict()) == TICK
    assert Tick("NSE_EQ:1").day is UNKNOWN_DAY


def test_a_tick_is_filled_with_fields_of_another() -> None:
    partial = Tick("NSE_EQ:1333", 101, None, 9, high=10)
    filled = partial.filled(TICK)
    assert filled == partial._replace(volume=1, open=2, low=4, prev_close=5, oi=6)
    assert TICK.filled(partial) == TICK


@pytest.mark.parametrize(
    ("ltt", "traded_at", "traded_s"),
    [(5, 7_000_000, 5.0), (None, 7_500_000, 7.5), (None, 0, None), (10**15, 0, None)],
)
def test_the_instant_of_the_trade(ltt: int | None, traded_at: int, traded_s: float | None) -> None:
    traded = TICK._replace(ltt=ltt, traded_at=traded_at).traded
    assert (traded and traded.timestamp()) == traded_s


def test_the_encoder_s_text_is_no_part_of_the_prices() -> None:
    day = DayPrices(1, 2, 3, 4)
    day.encoded = "text"
    assert (day == DayPrices(1, 2, 3, 4), hash(day) == hash(DayPrices(1, 2, 3, 4))) == (True, True)
