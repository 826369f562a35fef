"""Long-term setups for given facts: the setup, its zone, stop and allocation."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.sizing import Sizing
from ltp.screen.finding import NOT_READY, READY, WAIT_BREAKOUT, WAIT_PULLBACK, Finding
from ltp.screen.longterm_setup import advise

SIZING = Sizing(capital=1_000_000, risk_per_trade=10_000)
# Anchored at the EMA 50: the zone is 960 − 40 to 960 + 20. The stop is 850 − 20.
GOOD: dict[str, Any] = {
    "price": 950.0, "ema50": 960.0, "sma200": 850.0, "dist_sma200": 11.76, "slope_sma200": 2.5,
    "drawdown_pct": 9.0, "volatility": 30.0, "weekly_atr": 40.0, "weekly_supertrend": 800.0,
    "weekly_dist_supertrend": 18.0, "weekly_ema20_over_ema50": 4.0, "rs6m": 8.0, "rs12m": -3.0,
}  # fmt: skip


def advised(sizing: Sizing = SIZING, tick: int = 500, **changes: float | None) -> Finding:
    return advise(GOOD | changes, sizing, tick)


def test_inside_the_zone_it_is_accumulated() -> None:
    found = advised()
    assert found.setup == READY
    assert (found.entry, found.entry_low, found.entry_high) == (9_500_000, 9_200_000, 9_800_000)
    assert found.stop == 8_300_000
    assert found.quantity == 83  # 10,000 / 120
    assert found.risk == 83 * 1_200_000
    assert found.allocation == 83 * 9_500_000
    assert found.allocation_pct == 7.88  # 78,850 of 10,00,000
    assert found.horizon == "1 to 3 years"
    assert found.target is None
    assert found.why == (
        "Long-term uptrend: 11.8% above the 200-day average ₹850.00, which rose 2.5% in 21 sessions; "
        "against NIFTY +8.0% over "
        "6 and -3.0% over 12 months; 9.0% below the year's highest close. Inside the zone: accumulate."
    )
    assert found.invalid == "A weekly close below ₹830.00, 0.5 weekly ATR below the 200-day average."


def test_above_the_zone_it_is_waited_for() -> None:
    found = advised(price=1_029.0)
    assert (found.setup, found.entry) == (WAIT_PULLBACK, 9_600_000)
    assert found.why.endswith("5.0% above the zone: wait for it.")


def test_below_the_zone_it_has_to_come_back() -> None:
    found = advised(price=910.0)
    assert (found.setup, found.entry, found.entry_low) == (WAIT_BREAKOUT, 9_200_000, 9_200_000)


def test_the_zone_never_reaches_below_the_200_day_average() -> None:
    found = advised(ema50=870.0, price=860.0)
    assert (found.entry_low, found.entry_high) == (8_500_000, 8_900_000)
    assert found.stop == 8_000_000  # 830 is nearer than 1.5 weekly ATR: 860 − 60
    assert "1.5 weekly ATR below the entry" in found.invalid


def test_the_idea_ends_no_farther_than_a_quarter_below() -> None:
    found = advised(sma200=600.0, dist_sma200=58.0)
    assert found.stop == 7_125_000
    assert "25% below the entry" in found.invalid


def test_a_calm_share_gets_no_more_than_a_tenth() -> None:
    found = advised(weekly_atr=5.0, sma200=940.0, price=955.0)
    assert found.allocation is not None
    assert found.allocation <= 1_000_000_000
    assert found.quantity == 104  # 1,00,000 / 955


def test_just_below_a_rising_average_it_waits_to_recover() -> None:
    found = advised(price=830.0, dist_sma200=-2.4)
    assert (found.setup, found.entry, found.entry_high) == (WAIT_BREAKOUT, 8_500_000, 8_700_000)
    assert found.why.startswith("The close is 2.4% below its rising 200-day average ₹850.00;")


@pytest.mark.parametrize(
    ("changes", "reason", "cure"),
    [
        ({"slope_sma200": -0.5}, "the 200-day average fell 0.5% in 21 sessions", "the 200-day average rises"),
        (
            {"weekly_ema20_over_ema50": -1.5},
            "the weekly EMA 20 is 1.5% below the EMA 50",
            "the weekly EMA 20 is above the EMA 50",
        ),
        (
            {"weekly_dist_supertrend": -4.0, "weekly_supertrend": 990.0},
            "the weekly Supertrend is down at ₹990.00",
            "a week closes above ₹990.00",
        ),
        (
            {"drawdown_pct": 30.5},
            "it is 30.5% below its highest close of the year, more than 30%",
            "it is within 30% of that",
        ),
        (
            {"volatility": 60.5},
            "its volatility is 60.5% a year, more than 60%",
            "its volatility is below 60%",
        ),
        (
            {"rs6m": -1.0},
            "it trails: against NIFTY -1.0% over 6 and -3.0% over 12 months",
            "it beats NIFTY over 6 or 12 months",
        ),
        (
            {"dist_sma200": -5.5},
            "the close is 5.5% below the 200-day average ₹850.00",
            "a close is above ₹850.00",
        ),
    ],
)
def test_a_weakness_is_named_with_its_cure(changes: dict[str, float], reason: str, cure: str) -> None:
    found = advised(**changes)
    assert (found.setup, found.entry, found.allocation) == (NOT_READY, None, None)
    assert found.why == f"No long-term uptrend: {reason}."
    assert found.invalid == f"Another look once {cure}."


def test_without_an_index_the_strength_is_unknown_and_no_weakness() -> None:
    found = advised(rs6m=None, rs12m=None)
    assert found.setup == READY
    assert "relative strength unknown" in found.why


def test_unknown_facts_are_named() -> None:
    found = advised(volatility=None, weekly_atr=None)
    assert (found.setup, found.why) == (NOT_READY, "Too little history: Volatility, Weekly ATR unknown.")


def test_no_share_fits_a_small_capital() -> None:
    found = advised(sizing=Sizing(5_000, 1_000))
    assert (found.quantity, found.allocation, found.allocation_pct) == (None, None, None)
    assert found.why.endswith("One share costs ₹950.00, more than 10% of the capital (₹500.00).")


def test_where_one_tick_is_too_coarse_there_is_no_plan() -> None:
    names = ("price", "ema50", "sma200", "weekly_atr", "weekly_supertrend")
    found = advised(**{name: GOOD[name] / 10_000 for name in names})
    assert (found.setup, found.entry) == (NOT_READY, None)
    assert "one tick is too coarse" in found.why
