"""Criteria on a share: values compared with numbers computed by hand; unknown criteria are never met."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib

from ltp.core.criteria.nodes import DAILY
from ltp.core.criteria.spec import parse
from ltp.core.screener import Outcome
from ltp.screen.evaluate import outcomes
from ltp.screen.history import History
from ltp.screen.study import Study


def no_facts():
    raise AssertionError("no criterion names a fact of the newest session")


@pytest.fixture
def outcome_of(closes_history):
    """A function from a criterion and closes, oldest first, to its outcome."""

    def evaluated(text: str, closes: list[float], **facts: float | str | None) -> Outcome:
        [outcome] = outcomes([parse(text)], closes_history(closes), (lambda: facts) if facts else no_facts)
        return outcome

    return evaluated


@pytest.mark.parametrize(
    ("text", "passed", "value", "bound", "margin"),
    [
        ("close > 12", True, 15.0, "> 12", 3.0),
        ("close >= 15", True, 15.0, ">= 15", 0.0),
        ("close < 12", False, 15.0, "< 12", -3.0),
        ("close <= 15", True, 15.0, "<= 15", 0.0),
        ("close == 15", True, 15.0, "== 15", None),
        ("close != 15", False, 15.0, "!= 15", None),
        ("close > sma(close, 3)", True, 15.0, "> 13 (sma3)", 2.0),
        ("close > 2 * sma(close, 3)", False, 15.0, "> 26 (2 * sma3)", -11.0),
        ("ago(close, 2) < 12", True, 11.0, "< 12", 1.0),
        ("max(close, 4) == 15", True, 15.0, "== 15", None),
        ("min(close, 4) == 10", True, 10.0, "== 10", None),
        ("ema(close, 2) > 0", True, 14.0556, "> 0", 14.0556),  # 10.5, then 13 and 15 by two thirds
        ("stddev(close, 2) == 1", True, 1.0, "== 1", None),
        ("abs(10 - close) == 5", True, 5.0, "== 5", None),
        ("-close < 0", True, -15.0, "< 0", 15.0),
        ("close / open - 1 > 0.1", True, 0.1538, "> 0.1", 0.0538),
        ("close - open * 2 + 1 < 0", True, -10.0, "< 0", 10.0),
        ("crosses_above(close, 14)", True, None, "", None),
        ("crosses_above(close, 12)", False, None, "", None),
        ("crosses_below(-close, 0 - 14)", True, None, "", None),
        ("not close > 12", False, None, "", None),
        ("close > 100 or close > 12", True, None, "", None),
    ],
)
def test_values_bounds_and_margins(outcome_of, text, passed, value, bound, margin):
    outcome = outcome_of(text, [10, 11, 13, 15])
    assert outcome.passed is passed
    assert outcome.bound == bound
    assert outcome.value == (None if value is None else pytest.approx(value, abs=5e-5))
    assert outcome.margin == (None if margin is None else pytest.approx(margin, abs=5e-5))


def test_criteria_joined_by_and_have_an_outcome_each(closes_history):
    found = outcomes(
        [parse("close > 1 and (close > 2 and close < 3)"), parse("close > 4")],
        closes_history([5.0]),
        no_facts,
    )
    assert [(each.name, each.passed) for each in found] == [
        ("close > 1", True), ("close > 2", True), ("close < 3", False), ("close > 4", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "sma(close, 5) > 0",
        "rsi(4) > 0",
        "atr(4) > 0",
        "adx(3) >= 0",
        "ago(close, 4) > 0",
        "max(close, 5) > 0",
        "stddev(close, 5) >= 0",
        "crosses_above(close, sma(close, 4))",
        "weekly(sma(close, 2)) > 0",
        "close > sma(close, 5)",
        "not close > sma(close, 5)",
        "close / (open - open) > 0",
        "relvol / (relvol - relvol) > 0",
        "sma(close / (volume - volume), 2) > 0",
        "nothing_known > 0",
    ],
)
def test_neither_an_unknown_criterion_nor_its_opposite_is_met(outcome_of, text):
    text = text.replace("nothing_known", "rs12m")
    outcome = outcome_of(text, [10, 11, 13, 15], relvol=2.0, rs12m=None)
    assert not outcome.passed
    assert outcome.margin is None


def test_the_unknown_decides_only_where_nothing_else_does(outcome_of):
    closes = [10.0, 11, 13, 15]
    assert outcome_of("close > 1 or sma(close, 9) > 1", closes).passed
    assert not outcome_of(
        "not (close > 100 and sma(close, 9) > 1) and sma(close, 9) > 1 or close < 1", closes
    ).passed
    assert outcome_of("not (close > 100 and sma(close, 9) > 1)", closes).passed


def test_the_first_session_that_has_a_value_is_the_one_the_warm_up_ends_on(outcome_of):
    closes = [10.0, 11, 13, 15]
    assert outcome_of("sma(close, 4) > 0", closes).passed
    assert outcome_of("rsi(3) > 0", closes).passed
    assert outcome_of("ago(close, 3) > 0", closes).passed
    assert outcome_of("crosses_above(close, 14)", closes[-2:]).passed
    assert not outcome_of("crosses_above(close, 14)", closes[-1:]).passed


def test_a_share_without_candles_meets_nothing():
    empty = History(np.array([], np.int32), *(np.array([], np.float64) for _ in range(5)))
    texts = [
        "close > 0",
        "sma(close, 2) > 0",
        "crosses_above(close, 1)",
        "weekly(close) > 0",
        "not close > 0",
        "1 > 0",
    ]
    found = outcomes([parse(text) for text in texts], empty, no_facts)
    assert [outcome.passed for outcome in found] == [False] * len(texts)


def test_facts_and_their_texts(outcome_of):
    assert outcome_of("pct_from_high52 < 5", [1.0], pct_from_high52=3.25) == Outcome(
        "pct_from_high52 < 5", True, 3.25, "< 5", 1.75, "%"
    )
    assert outcome_of("trend == up", [1.0], trend="up") == Outcome("trend == up", True, None, "== up, is up")
    assert outcome_of("trend != up", [1.0], trend="sideways").passed
    assert outcome_of("trend != up", [1.0], trend=None) == Outcome(
        "trend != up", False, None, "!= up, is unknown"
    )
    assert outcome_of("abs(gap_pct) > 2", [1.0], gap_pct=-2.5).value == 2.5


def test_weeks(outcome_of):
    # Ten weekdays from a Monday: two weeks that close at 5 and at 10.
    closes = [float(day) for day in range(1, 11)]
    assert outcome_of("weekly(close) == 10", closes).passed
    assert outcome_of("weekly(sma(close, 2)) == 7.5", closes).passed
    assert outcome_of("weekly(ago(close, 1)) == 5", closes).passed
    assert outcome_of("weekly(volume) > volume * 4.99", closes).passed


def test_facts_of_every_session_and_the_measured_ones_agree(walk):
    study = Study(walk(400))
    for name in DAILY:
        [outcome] = outcomes([parse(f"{name} > 0")], study.history, no_facts)
        assert outcome.value == pytest.approx(study.facts[name], abs=1e-4), name


def test_facts_are_measured_once_and_only_when_named(walk):
    measured = []

    def facts():
        measured.append(1)
        return {"relvol": 2.0, "trend": "up"}

    history = walk(60)
    outcomes([parse("close > 1")], history, facts)
    assert measured == []
    outcomes([parse("relvol > 1"), parse("trend == up"), parse("relvol < 9")], history, facts)
    assert measured == [1]


def test_after_a_gap_of_unknown_values_a_function_warms_up_again(closes_history):
    history = closes_history([10.0] * 40)
    history.volume[20] = 0.0  # volume / volume is unknown on that session
    warm, cold = outcomes(
        [parse("sma(volume / volume, 19) > 0"), parse("sma(volume / volume, 20) > 0")], history, no_facts
    )
    assert (warm.passed, warm.value) == (True, 1.0)
    assert (cold.passed, cold.value) == (False, None)


def test_huge_numbers_overflow_into_the_unknown(outcome_of):
    assert not outcome_of("999999999999 " + "* 999999999999 " * 28 + "> 1", [1.0]).passed
    assert math.isfinite(outcome_of("1 / 0.000001 * 999999999999 > 1", [1.0]).value)


def test_a_repeated_term_is_computed_once(walk, monkeypatch):
    seen, sma = [], talib.SMA
    monkeypatch.setattr(talib, "SMA", lambda values, days: seen.append(days) or sma(values, days))
    texts = [f"sma(ema(rsi14, 20), 50) > {number}" for number in range(20)]
    found = outcomes([parse(text) for text in texts], walk(300), no_facts)
    assert len({outcome.value for outcome in found}) == 1
    assert seen == [50]
