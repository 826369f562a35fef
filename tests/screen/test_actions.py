"""Histories are drawn here, with steps such as real shares made; closeness, persistence and turnover are varied one by one."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from ltp.core.candle import day_number
from ltp.core.corporate_action import Action
from ltp.screen.actions import adjusted, detect, doubts
from ltp.screen.history import History

FIRST = date(2025, 1, 1)
AT = 60  # where the step is
EX_DAY = FIRST + timedelta(days=AT)
KEY = "NSE_EQ:1333"


def history(
    ratio: float = 1.0,
    *,
    opened: float = 1.0,
    closed: float = 1.0,
    busy: float = 1.0,
    after: int = 30,
    back: bool = False,
    pause_days: int = 0,
    locked: bool = False,
    volume_follows: bool = True,
) -> History:
    """A share around 1,000 rupees that costs 1/`ratio` of that from the step on.

    `opened`, `closed`: how far off that the day's open and close are; `busy`: rupees traded on the day, in usual days; `back`:
    the price returns; `locked`: one price all day; `volume_follows`: as many rupees as before, else as many shares.
    """
    random = np.random.default_rng(7)
    count = AT + 1 + after
    close = 1000.0 * np.exp(np.cumsum(random.normal(0, 0.012, count)))
    close[AT:] *= close[AT - 1] / close[AT]  # the step alone is the step
    volume = 500_000 * np.exp(random.normal(0, 0.3, count))
    share = np.ones(count)
    share[AT : AT + 1 if back else None] = 1 / ratio
    close, opening = close * share, np.concatenate(([1000.0], close[:-1])) * share
    opening[AT] = close[AT] * opened
    close[AT] *= closed
    if volume_follows:
        volume = volume / share
    volume[AT] = busy * 500_000 * 1000 / close[AT] if busy != 1.0 else volume[AT]
    high, low = np.maximum(opening, close) * 1.006, np.minimum(opening, close) * 0.994
    if locked:
        opening[AT] = high[AT] = low[AT] = close[AT]
    days = np.arange(count, dtype=np.int32) + day_number(FIRST)
    days[AT:] += pause_days
    return History(days, opening, high, low, close, np.round(volume))


@pytest.mark.parametrize(
    "ratio",
    ["2", "5/2", "3", "4", "5", "10", "20", "1/10", "1/5", "3/2", "4/3", "5/4", "6/5"],
    ids=lambda ratio: ratio.replace("/", "-"),
)
def test_a_split_a_bonus_and_a_consolidation_are_found(ratio: str) -> None:
    [suspect] = detect(history(float(Fraction(ratio)), busy=1.2))
    assert (suspect.ex_day, suspect.ratio) == (EX_DAY, Fraction(ratio))
    assert "times the usual shares" in suspect.evidence


def test_nothing_is_found_where_nothing_was() -> None:
    assert detect(history()) == []


@pytest.mark.parametrize("length", [0, 1, 2])
def test_a_history_may_be_short(length: int) -> None:
    assert detect(History(*(column[:length] for column in history()))) == []


@pytest.mark.parametrize("fall", [0.15, 0.18, 0.2, 0.25, 0.3, 1 / 3])
@pytest.mark.parametrize("busy", [6.0, 20.0])
def test_a_crash_on_results_is_no_bonus(fall: float, busy: float) -> None:
    """It stays down, and may even open at 3/4 of the close before: but everybody trades."""
    assert detect(history(1 / (1 - fall), busy=busy, volume_follows=False)) == []


@pytest.mark.parametrize("fall", [0.2, 0.25])
def test_a_fall_without_more_shares_is_no_bonus(fall: float) -> None:
    assert detect(history(1 / (1 - fall), busy=0.6 * (1 - fall), volume_follows=False)) == []


def test_a_fall_that_is_locked_at_the_band_is_no_bonus() -> None:
    assert detect(history(1.25, locked=True)) == []


def test_a_fall_that_is_made_good_on_the_day_is_no_bonus() -> None:
    """As on the morning of 7 April 2025, when many shares opened 20% down."""
    assert detect(history(opened=0.8, busy=1.2)) == []


@pytest.mark.parametrize("ratio", [2.0, 5.0, 10.0])
def test_a_price_that_comes_back_was_no_split(ratio: float) -> None:
    assert detect(history(ratio, back=True)) == []


@pytest.mark.parametrize("move", [0.93, 1.08])
def test_a_share_may_move_on_the_day_of_its_split(move: float) -> None:
    assert [suspect.ratio for suspect in detect(history(5, opened=move, closed=move, busy=4.0))] == [5]


def test_a_step_that_is_no_simple_ratio_is_told_as_such() -> None:
    [suspect] = detect(history(1.652, busy=2.3))
    assert suspect.ratio == Fraction(33, 20)
    assert "a demerger, perhaps" in suspect.evidence


@pytest.mark.parametrize("ratio", [1.43, 2.2])
def test_a_price_after_months_away_tells_nothing(ratio: float) -> None:
    assert detect(history(ratio, pause_days=97)) == []


def test_on_the_day_itself_a_split_is_found_where_the_volume_tells_it() -> None:
    assert [suspect.ratio for suspect in detect(history(5, after=0))] == [5]
    assert "it is the newest session" in detect(history(5, after=0))[0].evidence
    assert detect(history(5, after=0, volume_follows=False)) == [], "a wrong print moves no volume"
    assert detect(history(1.5, after=0, busy=1.2)) == [], "a small bonus is waited for"


def test_a_changed_isin_stands_for_the_volume() -> None:
    quiet = history(5, after=0, volume_follows=False)
    assert [suspect.ratio for suspect in detect(quiet, [EX_DAY - timedelta(days=1)])] == [5]
    assert "the ISIN changed" in detect(quiet, [EX_DAY - timedelta(days=1)])[0].evidence
    assert detect(quiet, [EX_DAY - timedelta(days=40)]) == []
    assert detect(history(), [EX_DAY - timedelta(days=1)]) == []


def test_where_nothing_was_traded_before_no_volume_tells_anything() -> None:
    dead = history(5)
    dead.volume[:AT] = 0
    assert detect(dead) == []


def action(ratio: tuple[int, int], state: str = "confirmed", days: int = AT) -> Action:
    return Action(KEY, FIRST + timedelta(days=days), *ratio, state)  # type: ignore[arg-type]


def test_a_confirmed_split_is_taken_out_of_prices_and_volumes() -> None:
    raw = history(5)
    after = adjusted(raw, [action((5, 1))])
    assert after.close[AT - 1] == pytest.approx(raw.close[AT - 1] / 5)
    assert after.volume[AT - 1] == pytest.approx(raw.volume[AT - 1] * 5)
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(after, name)[AT:], getattr(raw, name)[AT:])
    assert np.array_equal(after.days, raw.days)
    assert detect(after) == []
    assert abs(after.close[AT] / after.close[AT - 1] - 1) < 0.1


def test_two_confirmed_ones_multiply() -> None:
    raw = history()
    after = adjusted(raw, [action((5, 1)), action((3, 2), days=10)])
    assert after.close[0] == pytest.approx(raw.close[0] / 7.5)
    assert after.close[10] == pytest.approx(raw.close[10] / 5)


def test_a_consolidation_raises_what_was_before() -> None:
    raw = history()
    assert adjusted(raw, [action((1, 10))]).close[0] == pytest.approx(raw.close[0] * 10)


def test_a_detected_one_cuts_and_says_so() -> None:
    raw, suspected = history(5), action((5, 1), "detected")
    after = adjusted(raw, [suspected])
    assert np.array_equal(after.close, raw.close[AT:])
    assert after.days[0] == day_number(EX_DAY)
    assert doubts(raw, [suspected]) == (
        "Days before 2025-03-02 are left out: a split or bonus of 5:1 is suspected and not confirmed",
    )


def test_an_unexplained_one_cuts_and_says_so() -> None:
    raw, step = history(1.1), action((284185, 258000), "unexplained")
    assert np.array_equal(adjusted(raw, [step]).close, raw.close[AT:])
    assert doubts(raw, [step]) == (
        "Days before 2025-03-02 are left out: an unexplained step of 2841.85:2580 (a demerger, perhaps) is suspected and not "
        "confirmed",
    )


@pytest.mark.parametrize("state", ["confirmed", "dismissed"])
def test_what_somebody_said_is_no_doubt(state: str) -> None:
    assert doubts(history(5), [action((5, 1), state)]) == ()


def test_a_dismissed_one_does_nothing() -> None:
    raw = history(5)
    assert adjusted(raw, [action((5, 1), "dismissed")]) is raw
    assert adjusted(raw, []) is raw


def test_what_lies_before_the_history_cuts_nothing() -> None:
    raw, suspected = history(), action((5, 1), "detected", days=-5)
    assert adjusted(raw, [suspected]) is raw
    assert doubts(raw, [suspected]) == ()
    assert doubts(History(*(column[:0] for column in raw)), [suspected]) == ()


def test_a_detected_one_cuts_and_a_confirmed_one_after_it_still_counts() -> None:
    raw = history()
    after = adjusted(raw, [action((2, 1), "detected", days=10), action((5, 1), days=40)])
    assert after.close[0] == pytest.approx(raw.close[10] / 5)
    assert after.close[-1] == raw.close[-1]
