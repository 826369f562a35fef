from __future__ import annotations

import pytest

from ltp.core.alerts.preview import Preview, preview
from ltp.core.alerts.rule import parse_rule
from ltp.core.ticks.tick import Tick

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"
TICKS = {
    HDFC: Tick(
        HDFC,
        16_123_500,
        volume=1_000,
        open=16_000_000,
        high=16_600_000,
        low=15_900_000,
        prev_close=16_000_000,
    ),
    TCS: Tick(TCS, 40_000_000),
    NIFTY: Tick(NIFTY, 259_000_000),
}


def seen(rule: str, key: str = HDFC, **values: float) -> Preview:
    return preview(parse_rule(rule), key, values, TICKS.get)


@pytest.mark.parametrize(
    ("rule", "sentence", "distance"),
    [
        ("ltp > 1800", "₹1,800 is 11.64% above the last price, ₹1,612.35.", 11.64),
        ("ltp >= 1800", "₹1,800 is 11.64% above the last price, ₹1,612.35.", 11.64),
        ("ltp <= 1500", "₹1,500 is 6.97% below the last price, ₹1,612.35.", -6.97),
        ("crosses_above(ltp, 1800)", "₹1,800 is 11.64% above", 11.64),
        ("change_pct <= -3", "₹1,552 is 3.74% below the last price", -3.74),
        ("ltp <= 1612.34", "less than 0.01% below", -0.0006),
        (
            "ltp > 1600",
            "The last price is ₹1,612.35: it is met already, and fires once the price has gone back",
            0.0,
        ),
    ],
)
def test_the_distance_from_now(rule: str, sentence: str, distance: float) -> None:
    found = seen(rule)
    assert sentence in found.sentence
    assert found.distance == pytest.approx(distance, abs=0.01)


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ('ltp / of("NSE_EQ:11536", ltp) < 1', True),
        ('ltp / of("NSE_EQ:11536", ltp) > 1', False),
        ("day_volume > 500 and ltp > day_open", True),
        ("day_volume > 5000", False),
        ('ltp > of("NSE_EQ:1", ltp)', None),
    ],
)
def test_a_rule_without_a_level_is_met_or_not(rule: str, met: bool | None) -> None:
    assert seen(rule).met is met


def test_what_is_not_known_yet_is_named() -> None:
    assert "3 * sma(volume, 20) is not known yet" in seen("day_volume > 3 * sma(volume, 20)").sentence
    assert "plan(swing, stop) is not known yet" in seen("ltp < plan(swing, stop)").sentence
    assert seen("ltp > high52", high52=1700.0).distance == pytest.approx(5.44, abs=0.01)


def test_without_a_price_or_for_an_event_there_is_no_distance() -> None:
    assert seen("ltp > 5", "NSE_EQ:7").sentence == "There is no price yet to compare with."
    assert seen("feed_trouble()").sentence == "It fires on an event, not at a price."


@pytest.mark.parametrize(
    ("rule", "key", "words"),
    [
        ("ltp > 1650", HDFC, "The day's range, ₹1,590 to ₹1,660, holds this level already"),
        ("ltp > 1700", HDFC, ""),
        ("ltp > 26000", NIFTY, "The packets of an index have no day's high and low"),
        ("ltp > 4100", TCS, "as in ticker mode"),
        ("ltp > 5", "IDX_I:7", "The packets of an index"),
    ],
)
def test_the_form_says_where_a_touch_between_packets_does_not_show(rule: str, key: str, words: str) -> None:
    blind = seen(rule, key).blind
    assert words in blind
    assert bool(blind) is bool(words)
