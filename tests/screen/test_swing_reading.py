"""The checks of a swing setup, each with a sentence that contains its numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ltp.screen import swing_reading
from ltp.screen.history import History
from ltp.screen.study import Study
from ltp.screen.swing_reading import SwingReading

# An uptrend that rests just above its EMA 20, its highs out of the way.
GOOD = SwingReading(
    price=1_000,
    change_pct=0.8,
    atr=20,
    ema20=990,
    ema50=960,
    ema200=850,
    ext_ema20=0.5,
    rsi=58,
    adx=27,
    di_diff=12,
    macd=9,
    macd_hist=1,
    relvol=1.3,
    updown_volume=1.5,
    high20=1_045,
    high55=1_060,
    high52=1_080,
    pct_from_high52=7.4,
    supertrend=940,
    dist_supertrend=6.4,
    weekly_dist_ema20=5,
    weekly_supertrend=880,
    weekly_dist_supertrend=13.6,
)


def but(**changes: float) -> SwingReading:
    return GOOD._replace(**changes)


def test_a_good_trend_has_nothing_against_it() -> None:
    assert swing_reading.broken_trend(GOOD) == swing_reading.doubtful_trend(GOOD) == []


@pytest.mark.parametrize(
    ("share", "reason", "cure"),
    [
        (
            but(ema50=840, price=860),
            "the EMA 50 ₹840.00 is below the EMA 200 ₹850.00",
            "the EMA 50 is above the EMA 200",
        ),
        (but(price=955), "the close ₹955.00 is below the EMA 50 ₹960.00", "a close is above ₹960.00"),
        (
            but(pct_from_high52=25.1, high52=1_335),
            "it is 25.1% below its 52-week high, more than 25%",
            "it is within 25% of ₹1,335.00",
        ),
        (
            but(weekly_dist_ema20=-0.03),
            "the week is less than 0.1% below its EMA 20",
            "a week closes above its EMA 20",
        ),
        (but(weekly_dist_ema20=-2.04), "the week is 2.0% below its EMA 20", "a week closes above its EMA 20"),
    ],
)
def test_a_broken_trend_is_named_with_its_cure(share: SwingReading, reason: str, cure: str) -> None:
    assert swing_reading.broken_trend(share) == [(reason, cure)]


def test_below_everything_is_named_in_full() -> None:
    assert [each.reason for each in swing_reading.broken_trend(but(price=800))] == [
        "the close ₹800.00 is below the EMA 200 ₹850.00",
        "the close ₹800.00 is below the EMA 50 ₹960.00",
    ]


@pytest.mark.parametrize(
    ("share", "reason"),
    [
        (but(ema20=955), "the EMA 20 ₹955.00 is below the EMA 50 ₹960.00"),
        (but(dist_supertrend=-1, supertrend=1_010), "the Supertrend is down at ₹1,010.00"),
        (
            but(weekly_dist_supertrend=-9, weekly_supertrend=1_099),
            "the weekly Supertrend is down at ₹1,099.00",
        ),
    ],
)
def test_a_doubt_is_named(share: SwingReading, reason: str) -> None:
    assert [each.reason for each in swing_reading.doubtful_trend(share)] == [reason]


def test_extension_names_price_and_rsi() -> None:
    assert swing_reading.extension(GOOD) == swing_reading.extension(but(ext_ema20=2.5, rsi=70)) == ""
    assert swing_reading.extension(but(ext_ema20=3.14)) == "3.1 ATR above the EMA 20"
    assert swing_reading.extension(but(ext_ema20=3.14, rsi=74.46)) == "3.1 ATR above the EMA 20 and RSI 74.5"


def test_a_bounce_off_the_average_is_a_trigger() -> None:
    assert swing_reading.trigger(GOOD) == "it turned up 0.5 ATR above the EMA 20 after a pullback"
    assert (
        swing_reading.trigger(but(ext_ema20=-0.4)) == "it turned up 0.4 ATR below the EMA 20 after a pullback"
    )


def test_a_try_at_the_high_is_a_trigger() -> None:
    assert (
        swing_reading.trigger(but(ext_ema20=1.5, high20=996))
        == "the close is 0.2 ATR above the 20-day high ₹996.00"
    )
    assert (
        swing_reading.trigger(but(ext_ema20=1.5, high20=1_019))
        == "the close is 0.9 ATR below the 20-day high ₹1,019.00"
    )


@pytest.mark.parametrize(
    "share",
    [
        but(adx=19.9),
        but(di_diff=-1),
        but(change_pct=-0.1),
        but(macd=-1),
        but(rsi=44),
        but(updown_volume=0.9),
        but(ext_ema20=1.1),
        but(ext_ema20=-0.6),
        but(ext_ema20=1.5, high20=1_021),
        but(ext_ema20=1.5, high20=1_010, macd_hist=-0.1),
        but(ext_ema20=1.5, high20=1_010, rsi=49),
        but(ext_ema20=1.5, high20=1_010, relvol=0.9, updown_volume=1.1),
    ],
)
def test_without_one_condition_there_is_no_trigger_but_a_reason(share: SwingReading) -> None:
    assert swing_reading.trigger(share) == ""
    assert swing_reading.untriggered(share) != ""


def test_missing_conditions_are_listed_with_their_numbers() -> None:
    share = but(adx=18.04, di_diff=-3, macd_hist=-1, rsi=47.26, relvol=0.54, updown_volume=0.8)
    assert swing_reading.untriggered(share) == (
        "ADX 18.0 is below 20, −DI is above +DI, the MACD is below its signal, RSI 47.3 is below 50, "
        "volume is 0.5 × usual and heavier on falling days"
    )
    assert (
        swing_reading.untriggered(but(ext_ema20=1.2))
        == "the 20-day high ₹1,045.00 is 2.2 ATR away and the EMA 20 1.2 ATR"
    )


def test_strength_shows_the_order_of_the_averages() -> None:
    assert (
        swing_reading.strength(GOOD)
        == "EMA 20 ₹990.00 > EMA 50 ₹960.00 > EMA 200 ₹850.00, RSI 58.0, ADX 27.0, volume 1.3 × usual"
    )
    assert swing_reading.strength(but(ema20=950)).startswith("EMA 20 ₹950.00 < EMA 50 ₹960.00 >")


def test_a_reading_consists_of_facts(walk: Callable[..., History]) -> None:
    facts = Study(walk(300)).facts
    assert swing_reading.unknown(facts) == []
    assert swing_reading.read(facts)._asdict() == {name: facts[name] for name in SwingReading._fields}
    assert swing_reading.unknown({**facts, "rsi": None}) == ["rsi"]
    assert swing_reading.unknown({**facts, "atr": 0.0}) == ["atr"]
