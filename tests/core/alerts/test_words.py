from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ltp.core.alerts.alert import DAILY, EACH, KEY, ONCE, Target, Terms
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.words import how_words, price_words, repeat_words, rule_words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("ltp > 1650", "price above ₹1,650"),
        ("ltp <= 83.4275", "price at most ₹83.4275"),
        ("crosses_below(ltp, 123456.5)", "price crosses below ₹1,23,456.50"),
        ("crosses_above(ltp, 1650) or crosses_below(ltp, 1650)", "price crosses ₹1,650"),
        ("crosses_above(ltp, 1650) or crosses_below(ltp, 1600)", None),
        ("change_pct < -3", "change below -3%"),
        ("ltp < plan(swing, stop)", "price below the stop of its plan in swing"),
        ("ltp > high52", "price above the 52-week high"),
        ("day_volume > 2000000", "the day's volume above 2,000,000"),
        ("day_volume > 3 * sma(volume, 20)", "the day's volume above 3 * sma(volume, 20)"),
        ('ltp / of("NSE_EQ:2885", ltp) > 1.2', None),
        ("enters(swing)", "enters the screen swing"),
        ('leaves("my-screen")', "leaves the screen my-screen"),
        ("feed_trouble()", "trouble of the feed"),
    ],
)
def test_a_rule_in_words(rule: str, words: str | None) -> None:
    assert rule_words(parse_rule(rule)) == (rule if words is None else words)


@pytest.mark.parametrize(
    ("repeat", "cool_down_s", "hysteresis", "words"),
    [
        (ONCE, 0, 0, "once"),
        (DAILY, 0, 0, "once a day"),
        (EACH, 0, 0, "each time"),
        (EACH, 900, 0.5, "each time, at most every 15 min, after a move back of 0.5%"),
        (EACH, 7200, 0, "each time, at most every 2 h"),
    ],
)
def test_how_often(repeat: str, cool_down_s: int, hysteresis: float, words: str) -> None:
    assert repeat_words(Terms(Target(KEY, "NSE_EQ:1"), "ltp > 1", repeat, cool_down_s, hysteresis)) == words


AT = datetime(2026, 12, 1, 5, 11, 7, tzinfo=UTC)
MINUTE = AT.replace(second=0)


@pytest.mark.parametrize(
    ("how", "since", "until", "words"),
    [
        ("trade", None, None, "traded at"),
        ("trade", AT, AT, "traded at"),
        ("gap_at_open", AT, AT, "gap at the open"),
        ("between_packets", AT, AT.replace(second=9), "between two packets, between 10:41:07 and 10:41:09"),
        ("while_disconnected", AT, AT.replace(minute=13), "while disconnected, between 10:41 and 10:43"),
        ("while_disconnected", None, None, "while disconnected"),
        (
            "broker_candle",
            MINUTE,
            MINUTE.replace(minute=12),
            "by the broker's candle, between 10:41 and 10:42",
        ),
    ],
)
def test_how_a_firing_was_noticed(
    how: str, since: datetime | None, until: datetime | None, words: str
) -> None:
    assert how_words(how, since, until) == words


def test_prices() -> None:
    assert [price_words(each) for each in (1650, 1650.5, 0.0025)] == ["₹1,650", "₹1,650.50", "₹0.0025"]
