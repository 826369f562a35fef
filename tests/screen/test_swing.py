"""The swing strategy from arrays to a finding: scores, short histories, and plans that are always valid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ltp.core.criteria.facts import FACT
from ltp.core.screener import Row
from ltp.core.sizing import Sizing
from ltp.screen import longterm, swing
from ltp.screen.criterion import assess, credit
from ltp.screen.finding import NOT_READY, READY, WAIT_BREAKOUT, WAIT_PULLBACK
from ltp.screen.history import History
from ltp.screen.study import Study

Make = Callable[..., History]
SIZING = Sizing(capital=1_000_000, risk_per_trade=10_000)
LISTS = [swing.DAILY, swing.WEEKLY, longterm.DAILY, longterm.WEEKLY]


def upto(history: History, sessions: int) -> History:
    return History(*(each[:sessions] for each in history))


@pytest.mark.parametrize("criteria", LISTS)
def test_a_list_of_criteria_is_sound(criteria: tuple) -> None:
    assert sum(criterion.weight for criterion in criteria) == 100
    assert len({criterion.name for criterion in criteria}) == len(criteria)
    for criterion in criteria:
        assert FACT[criterion.fact].unit != "text"
        values = [value for value, _ in criterion.curve]
        assert values == sorted(set(values))
        assert max(share for _, share in criterion.curve) == 1
        assert min(share for _, share in criterion.curve) == 0
        for bound in (criterion.low, criterion.high):
            if abs(bound) != float("inf"):
                assert (
                    0 < credit(criterion.curve, bound) < 1
                )  # a near miss earns less than a pass, but something


def test_the_score_is_six_tenths_days_and_four_tenths_weeks(walk: Make) -> None:
    study = Study(walk(500))
    found = swing.evaluate(study, SIZING, 500)
    daily, weekly = assess(swing.DAILY, study.facts), assess(swing.WEEKLY, study.facts)
    assert found.base_score == round(daily.points, 1)
    assert found.mtf_score == round(weekly.points, 1)
    assert found.score == round(0.6 * daily.points + 0.4 * weekly.points, 1)
    assert found.criteria == daily.outcomes + weekly.outcomes
    assert found.facts == study.facts
    assert found.spark == study.spark
    assert found.flags == ()  # no part of this score needs the index


def test_a_steady_rise_scores_high_and_a_steady_fall_nothing(closes_history: Make) -> None:
    rise = [100 * 1.002**n * (1 + 0.01 * (n % 7) / 7) for n in range(500)]
    up = swing.evaluate(Study(closes_history(rise)), SIZING, 500)
    down = swing.evaluate(Study(closes_history(rise[::-1])), SIZING, 500)
    assert up.score is not None
    assert down.score is not None
    assert up.score > 75
    assert down.score < 25
    assert (down.setup, down.entry) == (NOT_READY, None)


def test_too_few_sessions_are_no_score(walk: Make) -> None:
    found = swing.evaluate(Study(upto(walk(100), 59)), SIZING, 500)
    assert (found.setup, found.score, found.entry, found.criteria) == (NOT_READY, None, None, ())
    assert found.why == "Only 59 sessions of history; a score needs 60."
    assert swing.evaluate(Study(upto(walk(100), 60)), SIZING, 500).score is not None


def test_less_than_a_year_is_flagged_and_makes_no_plan(walk: Make) -> None:
    found = swing.evaluate(Study(upto(walk(300), 150)), SIZING, 500)
    assert (
        found.flags[0]
        == "Only 150 sessions of history: what needs a year (253) is unknown and earned no points."
    )
    assert found.setup == NOT_READY
    assert found.why == "Too little history: EMA 200, 52-week high, Below 52-week high unknown."


def test_a_share_that_stopped_trading_is_not_judged(walk: Make) -> None:
    index = walk(300)
    found = swing.evaluate(Study(upto(walk(300), 290), index), SIZING, 500)
    assert (found.setup, found.score) == (NOT_READY, None)
    assert found.why == "Not traded for 14 days before the newest session."
    assert swing.evaluate(Study(upto(walk(300), 295), index), SIZING, 500).score is not None
    assert (
        swing.evaluate(Study(upto(walk(300), 290), None, int(index.days[-1])), SIZING, 500).why == found.why
    )


def test_a_finding_makes_a_row(walk: Make) -> None:
    found = swing.evaluate(Study(walk(300)), SIZING, 500)
    row = Row("NSE_EQ:1333", 1, "HDFCBANK", "HDFC Bank", "Banks", **found._asdict())
    assert (row.score, row.setup, row.facts["rsi"]) == (found.score, found.setup, found.facts["rsi"])


@pytest.mark.parametrize(("strategy", "most_pct", "most_position"), [(swing, 8, 25), (longterm, 25, 10)])
def test_plans_are_valid_for_any_history(walk: Make, strategy, most_pct: float, most_position: float) -> None:
    seen = set()
    index = walk(500, seed=999)
    for seed in range(150):
        found = strategy.evaluate(Study(walk(500, seed), index), SIZING, 500)
        seen.add(found.setup)
        assert found.setup in {READY, WAIT_BREAKOUT, WAIT_PULLBACK, NOT_READY}
        assert found.why.endswith(".")
        assert found.invalid.endswith(".")
        assert "nan" not in found.why + found.invalid
        assert 0 <= found.score <= 100
        if found.setup == NOT_READY:
            assert found.entry is found.stop is found.target is found.quantity is found.allocation is None
            continue
        assert 0 < found.stop < found.entry_low <= found.entry <= found.entry_high
        assert found.entry - found.stop <= found.entry * most_pct / 100
        assert found.target is None or found.target - found.entry >= found.entry - found.stop
        assert found.risk == found.quantity * (found.entry - found.stop) <= 100_000_000
        assert found.quantity * found.entry <= 10_000_000_000 * most_position / 100
        prices = (found.entry, found.entry_low, found.entry_high, found.stop, found.target or 0)
        assert [price % 500 for price in prices] == [0] * 5
    assert len(seen) >= 3, "the walks lead to several setups"


@pytest.mark.parametrize("criteria", LISTS)
def test_the_page_on_strategies_lists_every_criterion_as_it_is(criteria: tuple) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")
    for each in criteria:
        curve = ", ".join(f"{value:g} → {share:g}" for value, share in each.curve)
        assert f"| {each.name} | `{each.fact}` | {each.bound} | {each.weight:g} | {curve} |" in page
