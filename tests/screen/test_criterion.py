"""Criteria: outcomes, margins and credits."""

from __future__ import annotations

import pytest

from ltp.core.screener import Outcome
from ltp.screen.criterion import Criterion, assess, credit

ADX = Criterion("ADX strong", "adx", 6, ((15, 0), (20, 0.6), (30, 1)), low=20)
RSI = Criterion("RSI in the band", "rsi", 2, ((40, 0), (50, 1), (70, 1), (80, 0)), low=50, high=70)
NEAR = Criterion("Near the high", "pct_from_high52", 2, ((5, 1), (30, 0)), high=15)


@pytest.mark.parametrize(
    ("value", "expected"), [(-5, 0), (15, 0), (17.5, 0.3), (20, 0.6), (25, 0.8), (30, 1), (90, 1)]
)
def test_credit_is_drawn_straight_between_the_points(value: float, expected: float) -> None:
    assert credit(ADX.curve, value) == pytest.approx(expected)


def test_each_outcome_has_value_bound_and_margin() -> None:
    score = assess((ADX, RSI, NEAR), {"adx": 25.0, "rsi": 72.346, "pct_from_high52": 10.0})
    assert score.outcomes == (
        Outcome("ADX strong", True, 25.0, "> 20", 5.0),
        Outcome("RSI in the band", False, 72.35, "50 to 70", -2.35),
        Outcome("Near the high", True, 10.0, "< 15", 5.0, "%"),
    )
    assert score.points == pytest.approx(100 * (6 * 0.8 + 2 * 0.7654 + 2 * 0.8) / 10)


@pytest.mark.parametrize(("value", "passed"), [(19.99, False), (20.0, False), (20.01, True)])
def test_the_bound_itself_does_not_pass(value: float, passed: bool) -> None:
    [outcome] = assess((ADX,), {"adx": value}).outcomes
    assert outcome.passed is passed


def test_the_unknown_passes_nothing_and_earns_nothing() -> None:
    score = assess((ADX, RSI), {"adx": None, "rsi": 60.0})
    assert score.outcomes[0] == Outcome("ADX strong", False, None, "> 20", None)
    assert score.points == 25
