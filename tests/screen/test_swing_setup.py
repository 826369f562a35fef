"""Swing setups for given readings: the setup, its sentences, and plans computed by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.sizing import Sizing
from ltp.screen.finding import NOT_READY, READY, WAIT_BREAKOUT, WAIT_PULLBACK, Finding
from ltp.screen.plan import Level
from ltp.screen.swing_reading import SwingReading
from ltp.screen.swing_setup import decide

SIZING = Sizing(capital=1_000_000, risk_per_trade=10_000)
TICK = 500
STRENGTH = "EMA 20 ₹990.00 > EMA 50 ₹960.00 > EMA 200 ₹850.00, RSI 58.0, ADX 27.0, volume 1.3 × usual"


def reading(**changes: float) -> SwingReading:
    values: dict[str, Any] = {
        "price": 1_000, "change_pct": 0.8, "atr": 20, "ema20": 990, "ema50": 960, "ema200": 850,
        "ext_ema20": 0.5, "rsi": 58, "adx": 27, "di_diff": 12, "macd": 9, "macd_hist": 1,
        "relvol": 1.3, "updown_volume": 1.5, "high20": 1_045, "high55": 1_060, "high52": 1_080,
        "pct_from_high52": 7.4, "supertrend": 940, "dist_supertrend": 6.4, "weekly_dist_ema20": 5,
        "weekly_supertrend": 880, "weekly_dist_supertrend": 13.6,
    }  # fmt: skip
    return SwingReading(**(values | changes))


def decided(share: SwingReading, low: float = 980, sizing: Sizing = SIZING) -> Finding:
    return decide(share, (Level(low, "10-day low"),), sizing, TICK)


def test_ready_is_bought_at_the_price() -> None:
    found = decided(reading())
    assert found.setup == READY
    assert (found.entry, found.entry_low, found.entry_high) == (10_000_000, 9_900_000, 10_050_000)
    assert found.stop == 9_750_000  # 980 − 0.25 × 20
    assert found.target == 10_450_000  # the 20-day high is worth 45 / 25 = 1.8 R
    assert found.quantity == 250  # 2,50,000 of capital allow 250, 10,000 of risk 400
    assert found.risk == 250 * 250_000
    assert found.why == (
        f"Uptrend ({STRENGTH}); it turned up 0.5 ATR above the EMA 20 after a pullback. "
        "Stop 0.25 ATR below the 10-day low, target 20-day high."
    )
    assert found.invalid == "A fall to the stop."
    assert decided(reading(supertrend=985)).invalid == "A close below the Supertrend ₹985.00."


def test_an_extended_price_waits_for_a_pullback() -> None:
    found = decided(reading(price=1_060, ext_ema20=3.5, rsi=73, high20=1_055, high52=1_070, high55=1_055))
    assert found.setup == WAIT_PULLBACK
    assert (found.entry, found.entry_low, found.entry_high) == (9_900_000, 9_850_000, 10_000_000)
    assert found.stop == 9_600_000  # the 10-day low is too near 990: 1.5 ATR below it
    assert found.target == 10_550_000  # 65 / 30 = 2.2 R
    assert found.why == (
        f"Uptrend ({STRENGTH.replace('58.0', '73.0')}), but extended: 3.5 ATR above the EMA 20 and RSI 73.0. "
        "Buy near the EMA 20, ₹990.00. Stop 1.5 ATR below the entry, target 20-day high."
    )
    assert found.invalid == "A close below the EMA 50 ₹960.00: no pullback, but the end of the trend."


def test_a_far_high_is_no_more_than_three_r() -> None:
    found = decided(reading(price=1_090, ext_ema20=5, high20=1_085, high55=1_085, high52=1_095))
    assert found.target == 10_800_000
    assert "target 3 R" in found.why


def test_below_the_average_it_has_to_come_back_first() -> None:
    found = decided(reading(price=975, ext_ema20=-0.75, change_pct=-1))
    assert found.setup == WAIT_PULLBACK
    assert "Buy when it closes above the EMA 20 again, ₹990.00." in found.why


def test_a_price_below_a_resistance_waits_for_the_breakout() -> None:
    found = decided(reading(adx=15, high20=1_012, high55=1_025, high52=1_080), low=985)
    assert found.setup == WAIT_BREAKOUT
    assert (found.entry, found.entry_low, found.entry_high) == (
        10_270_000,
        10_270_000,
        10_370_000,
    )  # 1,025 + 2, + 10
    assert found.stop == 9_800_000
    assert found.target == 11_210_000  # 2 R: the 52-week high is worth only 1.1
    assert found.why == (
        "Resistance at the 55-day high ₹1,025.00, 1.2 ATR (2.5%) above the close; "
        f"{STRENGTH.replace('27.0', '15.0')}. Buy when the price goes through it. "
        "Stop 0.25 ATR below the 10-day low, target 2 R."
    )
    assert found.invalid == "A close below the EMA 50 ₹960.00 before the breakout."


def test_a_resistance_too_near_for_the_risk_is_waited_for() -> None:
    near = reading(high20=1_030, high55=1_030, high52=1_080)
    assert decided(near).setup == WAIT_BREAKOUT
    assert decided(near).entry == 10_320_000
    beyond_reach = decided(reading(high20=1_045), low=970)  # 45 / 35 = 1.3 R, and 2.25 ATR away
    assert beyond_reach.setup == WAIT_PULLBACK
    assert "but the 20-day high ₹1,045.00 is only 1.3 R away" in beyond_reach.why


def test_a_base_may_have_its_supertrend_down() -> None:
    doubtful = reading(dist_supertrend=-1, supertrend=1_010)
    assert decided(doubtful._replace(high20=1_012)).setup == WAIT_BREAKOUT
    found = decided(doubtful)
    assert (found.setup, found.entry) == (NOT_READY, None)
    assert found.why == "The uptrend is in doubt: the Supertrend is down at ₹1,010.00."
    assert found.invalid == "Another look once a close is above ₹1,010.00."


def test_a_broken_trend_has_no_plan() -> None:
    found = decided(reading(price=955, ema20=958))
    assert found.setup == NOT_READY
    assert found.why == (
        "No uptrend: the close ₹955.00 is below the EMA 50 ₹960.00; the EMA 20 ₹958.00 is below the EMA 50 "
        "₹960.00."
    )
    assert found.invalid == "Another look once a close is above ₹960.00 and the EMA 20 is above ₹960.00."
    assert [
        found.entry,
        found.entry_low,
        found.entry_high,
        found.stop,
        found.target,
        found.quantity,
        found.risk,
    ] == [None] * 7


def test_where_no_stop_is_sane_there_is_no_plan() -> None:
    found = decided(reading(), low=900)
    assert (found.setup, found.entry) == (NOT_READY, None)
    assert "no low leaves a stop 1 to 3 ATR and at most 8% below any entry" in found.why


def test_no_quantity_is_given_a_reason() -> None:
    found = decided(reading(), sizing=Sizing(1_000_000, 20))
    assert (found.setup, found.quantity, found.risk) == (READY, None, None)
    assert found.why.endswith("One share risks ₹25.00, more than the ₹20.00 of a trade.")


@pytest.mark.parametrize("tick", [1, 100, 500, 1_000, 5_000])
def test_every_price_is_a_multiple_of_the_tick(tick: int) -> None:
    for share in (
        reading(price=1_000.37),
        reading(price=1_060, ext_ema20=3.5),
        reading(adx=15, high20=1_012.34),
    ):
        found = decide(share, (Level(981.23, "10-day low"),), SIZING, tick)
        prices = (found.entry, found.entry_low, found.entry_high, found.stop, found.target)
        assert found.setup != NOT_READY
        assert all(price is not None and price % tick == 0 for price in prices)


def test_where_one_tick_is_too_coarse_there_is_no_plan() -> None:
    cents = reading(
        **{name: getattr(reading(), name) / 2_000 for name in ("price", "ema20", "ema50", "ema200", "high20")}
    )
    cents = cents._replace(atr=0.01, high55=0.53, high52=0.54, supertrend=0.47, weekly_supertrend=0.44)
    assert decide(cents, (Level(0.49, "10-day low"),), SIZING, 500).setup == NOT_READY
    assert decide(cents, (Level(0.49, "10-day low"),), SIZING, 100).setup == READY
