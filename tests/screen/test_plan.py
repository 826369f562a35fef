"""Stops, targets and quantities, each worked out by hand."""

from __future__ import annotations

import math

import pytest

from ltp.core.sizing import Sizing
from ltp.screen import plan
from ltp.screen.plan import Level

SIZING = Sizing(capital=1_000_000, risk_per_trade=10_000)


def lows(*prices: float) -> tuple[Level, ...]:
    return tuple(Level(price, f"low {n}") for n, price in enumerate(prices))


def test_the_stop_is_a_quarter_atr_below_the_first_low_in_reach() -> None:
    assert plan.choose_stop(100, 2, lows(96)) == (95.5, "0.25 ATR below the low 0")
    assert plan.choose_stop(100, 2, lows(90, 97)) == (
        96.5,
        "0.25 ATR below the low 1",
    )  # 9.5 is more than 3 ATR
    assert plan.choose_stop(100, 2, lows(99, 96)) == (
        95.5,
        "0.25 ATR below the low 1",
    )  # 1.5 is less than 1 ATR
    assert plan.choose_stop(100, 2, lows(math.nan, 96)) == (95.5, "0.25 ATR below the low 1")


def test_a_stop_is_never_more_than_eight_per_cent_away() -> None:
    assert plan.choose_stop(100, 4, lows(93)) == (92, "0.25 ATR below the low 0")
    assert plan.choose_stop(100, 4, lows(92.9)) is None


def test_where_every_low_is_too_near_the_stop_is_below_them_all() -> None:
    assert plan.choose_stop(100, 2, lows(99.5, 120)) == (97, "1.5 ATR below the entry")
    assert plan.choose_stop(100, 6, lows(99.5)) is None  # 9%


def test_where_every_low_is_too_far_there_is_no_stop() -> None:
    assert plan.choose_stop(100, 2, lows(90, 80)) is None
    assert plan.choose_stop(100, 2, ()) is None


@pytest.mark.parametrize(
    ("resistances", "target"),
    [
        ((), (110, "2 R")),
        ((103.0,), (110, "2 R")),
        ((107.5,), (107.5, "low 0")),
        ((112.0, 108.0), (108.0, "low 1")),
        ((103.0, 112.0), (112.0, "low 1")),
        ((130.0,), (115, "3 R")),
        ((math.nan,), (110, "2 R")),
    ],
)
def test_the_target_is_a_resistance_worth_its_risk(
    resistances: tuple[float, ...], target: tuple[float, str]
) -> None:
    assert plan.choose_target(100, 95, lows(*resistances)) == target


def test_prices_lie_on_ticks() -> None:
    assert plan.nearest_tick(100.03, 500) == 1_000_500
    assert plan.tick_below(100.09, 500) == 1_000_500
    assert plan.tick_above(100.01, 500) == 1_000_500
    assert (
        plan.tick_below(100.1, 500) == plan.tick_above(100.1, 500) == 1_001_000
    )  # 100.1 × 10,000 is no whole float
    assert plan.tick_below(100.09, 0) == 1_000_500  # unknown: 5 paise


@pytest.mark.parametrize(
    ("stop", "entry", "expected"),
    [
        (95.53, 1_000_000, 955_000),
        (92.01, 1_000_000, 920_000),
        (0.93, 10_000, 9_500),  # 0.90 would be ten per cent
        (0.46, 5_000, None),  # 0.45 would be ten per cent, 0.50 is the entry
        (0.01, 500, None),
    ],
)
def test_a_coarse_tick_takes_no_stop_past_the_limit(stop: float, entry: int, expected: int | None) -> None:
    assert plan.stop_on_tick(stop, entry, 500, 8.0) == expected


def test_the_risk_limits_the_quantity() -> None:
    assert plan.size(1_000_000, 930_000, SIZING, 25) == (1_428, 1_428 * 70_000, "")


def test_the_capital_limits_the_quantity() -> None:
    assert plan.size(1_000_000, 990_000, SIZING, 25) == (2_500, 2_500 * 10_000, "")


def test_a_reason_is_given_if_not_one_share_fits() -> None:
    risky = plan.size(1_400_000_000, 1_290_000_000, SIZING, 25)
    assert risky == (None, None, "One share risks ₹11,000.00, more than the ₹10,000.00 of a trade.")
    dear = plan.size(1_400_000_000, 1_399_000_000, Sizing(400_000, 10_000), 25)
    assert dear == (None, None, "One share costs ₹1,40,000.00, more than 25% of the capital (₹1,00,000.00).")
