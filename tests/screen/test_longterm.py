"""The long-term strategy from arrays to a finding."""

from __future__ import annotations

from collections.abc import Callable

from ltp.core.sizing import Sizing
from ltp.screen import longterm
from ltp.screen.criterion import assess
from ltp.screen.finding import NOT_READY, READY, WAIT_PULLBACK
from ltp.screen.history import History
from ltp.screen.study import Study

Make = Callable[..., History]
SIZING = Sizing(capital=1_000_000, risk_per_trade=10_000)


def upto(history: History, sessions: int) -> History:
    return History(*(each[:sessions] for each in history))


def test_the_score_is_six_tenths_days_and_four_tenths_weeks(walk: Make) -> None:
    study = Study(walk(500), walk(500, seed=8))
    found = longterm.evaluate(study, SIZING, 500)
    daily, weekly = assess(longterm.DAILY, study.facts), assess(longterm.WEEKLY, study.facts)
    assert found.score == round(0.6 * daily.points + 0.4 * weekly.points, 1)
    assert found.criteria == daily.outcomes + weekly.outcomes
    assert found.flags == ()


def test_a_year_of_rising_is_to_be_accumulated_and_a_year_of_falling_is_not(closes_history: Make) -> None:
    rise = [100 * 1.001**n * (1 + 0.02 * (n % 11) / 11) for n in range(500)]
    index = closes_history([20_000.0] * 500)
    up = longterm.evaluate(Study(closes_history(rise), index), SIZING, 500)
    down = longterm.evaluate(Study(closes_history(rise[::-1]), index), SIZING, 500)
    assert up.setup in (READY, WAIT_PULLBACK)
    assert up.score is not None
    assert up.score > 80
    assert (down.setup, down.entry) == (NOT_READY, None)
    assert down.score is not None
    assert down.score < 15


def test_without_a_200_day_average_there_is_no_score(walk: Make) -> None:
    found = longterm.evaluate(Study(upto(walk(300), 199)), SIZING, 500)
    assert (found.setup, found.score) == (NOT_READY, None)
    assert found.why == "Only 199 sessions of history; a score needs 200."


def test_a_missing_index_is_no_doubt_about_the_share(walk: Make) -> None:
    assert longterm.evaluate(Study(walk(500)), SIZING, 500).flags == ()


def test_both_strategies_read_the_same_facts(walk: Make) -> None:
    study = Study(walk(300))
    assert longterm.evaluate(study, SIZING, 500).facts is study.facts
