"""A rule as one level of the price: which rules are, and the exact price from which one is met."""

from __future__ import annotations

import pytest

from ltp.core.alerts.level import Level, level_of, level_rule
from ltp.core.alerts.rule import parse_rule


def found(text: str, prev_close: int | None = None, **values: float | None) -> Level | None:
    rule = parse_rule(text)
    assert rule.tree is not None
    of = level_rule(rule.tree)
    assert of is not None
    return level_of(of, values, prev_close)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ltp > 1650", Level(True, 1650_0001)),
        ("ltp >= 1650", Level(True, 1650_0000)),
        ("ltp < 1650", Level(False, 1649_9999)),
        ("ltp <= 1650", Level(False, 1650_0000)),
        ("1650 < ltp", Level(True, 1650_0001)),
        ("ltp >= 1650.05", Level(True, 1650_0500)),  # 16500499.999999998 as a float
        ("ltp > 1650.05", Level(True, 1650_0501)),
        ("ltp < 0.07", Level(False, 699)),  # 700.0000000000001
        ("crosses_above(ltp, 1650)", Level(True, 1650_0001)),
        ("crosses_below(ltp, 1650)", Level(False, 1649_9999)),
        ("crosses_above(1650, ltp)", Level(False, 1649_9999)),
        ("ltp > 2 * (100 + 5)", Level(True, 210_0001)),
    ],
)
def test_the_level_of_a_comparison(text: str, level: Level) -> None:
    assert found(text) == level


def test_a_change_is_a_level_once_the_previous_close_is_known() -> None:
    assert found("change_pct < -3", 1000_0000) == Level(False, 969_9999)
    assert found("change_pct >= 2.5", 200_0000) == Level(True, 205_0000)
    assert found("change_pct < -3", None) is None


def test_terms_and_plans_are_values() -> None:
    assert found("ltp > high52", high52=123.45) == Level(True, 123_4501)
    assert found("ltp > high52", high52=None) is None
    assert found("ltp > high52") is None
    plan = {"plan(swing, stop)": 90.0, "atr14": 1.5}
    assert found("ltp < plan(swing, stop) - atr14", **plan) == Level(False, 88_4999)


@pytest.mark.parametrize("text", ["ltp > 0", "ltp < -5", "ltp > 99999999999"])
def test_a_level_that_no_price_reaches_is_none(text: str) -> None:
    assert found(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "ltp > day_open",
        "ltp == 5",
        "day_volume > 5",
        "ltp / 2 > 5",
        "ltp > 5 and ltp < 9",
        'ltp > of("NSE_EQ:1", ltp)',
        "not ltp > 5",
    ],
)
def test_other_rules_are_no_level(text: str) -> None:
    rule = parse_rule(text)
    assert rule.tree is not None
    assert level_rule(rule.tree) is None


def test_the_way_back_is_beyond_the_level_by_the_hysteresis() -> None:
    assert Level(True, 100_0000).back(0) == 99_9999
    assert Level(True, 100_0000).back(1) == 99_0000
    assert Level(False, 100_0000).back(0) == 100_0001
    assert Level(False, 100_0000).back(0.5) == 100_5000
