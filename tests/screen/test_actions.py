"""Detection in generated histories with steps as of real shares: distance, persistence and turnover vary."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from ltp.core.history.candle import day_number
from ltp.core.history.corporate_action import Action
from ltp.screen.actions import adjusted, detect, doubts
from ltp.screen.history import History

FIRST = date(2025, 1, 1)
AT = 60  # index of the session with the step
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
    later: float = 1.0,
) -> History:
    """A share around 1,000 rupees that costs 1/`ratio` of that from the step on.

    `opened`, `closed`: factors of the day's open and close; `busy`: rupees traded on the day, in usual days;
    `back`: the price returns; `locked`: one price all day; `volume_follows`: as many rupees as before, else
    as many shares, times `later` from the step on.
    """
    random = np.random.default_rng(7)
    count = AT + 1 + after
    close = 1000.0 * np.exp(np.cumsum(random.normal(0, 0.012, count)))
    close[AT:] *= close[AT - 1] / close[AT]  # no random move on the day of the step
    volume = 500_000 * np.exp(random.normal(0, 0.3, count))
    share = np.ones(count)
    share[AT : AT + 1 if back else None] = 1 / ratio
    close, opening = close * share, np.concatenate(([1000.0], close[:-1])) * share
    opening[AT] = close[AT] * opened
    close[AT] *= closed
    if volume_follows:
        volume = volume / share
    volume[AT:] *= later
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


@pytest.mark.parametrize("fall", [0.15, 0.18, 0.2])
@pytest.mark.parametrize("busy", [6.0, 20.0])
def test_a_crash_on_results_is_no_bonus(fall: float, busy: float) -> None:
    """The price stays down, and may even open at 4/5 of the close before, but the volume is large."""
    assert detect(history(1 / (1 - fall), busy=busy, volume_follows=False)) == []


@pytest.mark.parametrize("fall", [0.21, 0.25, 0.3, 1 / 3, 0.45, 0.65, 0.75, 0.8, 0.9])
@pytest.mark.parametrize("busy", [0.01, 1.2, 20.0, 300.0])
@pytest.mark.parametrize("after", [0, 1, 30])
def test_a_step_wider_than_any_band_is_always_suspected(fall: float, busy: float, after: int) -> None:
    [suspect] = detect(history(1 / (1 - fall), busy=busy, after=after, volume_follows=False))
    assert suspect.ex_day == EX_DAY


@pytest.mark.parametrize("rise", [1.22, 1.5, 2.0, 98.0])
def test_a_rise_wider_than_any_band_is_suspected_too(rise: float) -> None:
    [suspect] = detect(history(1 / rise))
    assert suspect.ex_day == EX_DAY


def test_a_drift_after_a_split_does_not_hide_it() -> None:
    """As INFOBEAN, which fell by a third in the two weeks after its bonus."""
    falling = history(4, busy=3.2)
    slide = np.linspace(1.0, 0.6, falling.days.size - AT)
    for column in (falling.open, falling.high, falling.low, falling.close):
        column[AT:] *= slide
    assert [suspect.ratio for suspect in detect(falling)] == [4]


def test_a_share_that_costs_paise_moves_by_ticks() -> None:
    cheap = history(1.3)
    for column in (cheap.open, cheap.high, cheap.low, cheap.close):
        column /= 5000
    assert detect(cheap) == []


@pytest.mark.parametrize(("fall", "ratio"), [(0.2, []), (0.25, [None])])
def test_a_fall_without_more_shares_is_no_bonus(fall: float, ratio: list[None]) -> None:
    found = detect(history(1 / (1 - fall), busy=0.6 * (1 - fall), volume_follows=False))
    assert [suspect.ratio for suspect in found] == ratio


def test_a_fall_that_is_locked_at_the_band_is_no_bonus() -> None:
    assert detect(history(1.25, locked=True)) == []


def test_a_fall_that_is_made_good_on_the_day_is_no_bonus() -> None:
    """As on the morning of 7 April 2025, when many shares opened 20% down."""
    assert detect(history(opened=0.8, busy=1.2)) == []


@pytest.mark.parametrize("ratio", [2.0, 5.0, 10.0])
def test_a_price_that_comes_back_was_no_split(ratio: float) -> None:
    assert detect(history(ratio, back=True)) == []


@pytest.mark.parametrize("move", [0.96, 1.045])
def test_a_share_may_move_on_the_day_of_its_split(move: float) -> None:
    assert [suspect.ratio for suspect in detect(history(5, opened=move, closed=move, busy=4.0))] == [5]


def test_a_rare_ratio_must_be_met_closer() -> None:
    assert [suspect.ratio for suspect in detect(history(3, opened=1.02))] == [3]
    assert [suspect.ratio for suspect in detect(history(3, opened=1.04, later=0.7))] == [None]


def test_an_open_farther_off_needs_the_volume_of_two_weeks_or_a_new_isin() -> None:
    assert [suspect.ratio for suspect in detect(history(4, opened=1.075, busy=4.0, later=1.3))] == [4]
    assert [suspect.ratio for suspect in detect(history(4, opened=1.075, busy=4.0, later=0.6))] == [None]
    assert [suspect.ratio for suspect in detect(history(4, opened=1.075, busy=4.0, after=0))] == [None], (
        "a day is too little"
    )
    assert [suspect.ratio for suspect in detect(history(4, opened=1.1, busy=4.0, later=1.3))] == [None]
    assert [suspect.ratio for suspect in detect(history(4, opened=1.1), [EX_DAY - timedelta(days=1)])] == [4]


def test_the_market_s_own_step_is_taken_out() -> None:
    """As SIEMENS: the market fell 8% on the morning of its demerger, so it opened at half of its close."""
    assert [suspect.ratio for suspect in detect(history(2.011))] == [2]
    moves = {day_number(EX_DAY): -0.084}
    assert [suspect.ratio for suspect in detect(history(2.011, later=0.8), moves=moves)] == [None]
    assert [suspect.ratio for suspect in detect(history(2 * 1.084), moves=moves)] == [2]


def test_a_small_bonus_on_a_lively_morning_is_found_without_the_market_s_own_step() -> None:
    up = history(1.2 * 0.98)
    assert detect(up) == []
    assert [suspect.ratio for suspect in detect(up, moves={day_number(EX_DAY): 0.02})] == [Fraction(6, 5)]


@pytest.mark.parametrize("ratio", [1.423, 1.652, 2.744, 3.5, 7.0])
def test_a_step_at_no_simple_ratio_is_unexplained(ratio: float) -> None:
    [suspect] = detect(history(ratio, busy=2.3))
    assert suspect.ratio is None
    assert suspect.prices[0] / suspect.prices[1] == pytest.approx(ratio, rel=1e-3)
    assert "a demerger, perhaps" in suspect.evidence


def test_a_small_bonus_that_is_locked_at_a_band_is_known_by_its_price() -> None:
    """As KPIGREEN, 3:2 and at its upper band of 5% all day."""
    locked = history(1.5, closed=1.05, busy=0.02, locked=True)
    assert [suspect.ratio for suspect in detect(locked)] == [Fraction(3, 2)]


@pytest.mark.parametrize("factor", [0.7, 1.4, 1.25])
@pytest.mark.parametrize("sessions", [1, 2])
def test_a_wrong_close_is_no_split(factor: float, sessions: int) -> None:
    """As of rarely traded funds: one trade at a wrong price is the close until the next trade."""
    wrong = history()
    for column in (wrong.close, wrong.high, wrong.low):
        column[AT - sessions : AT] *= factor
    wrong.open[AT - sessions + 1 : AT] *= factor
    assert detect(wrong) == []


def test_a_wrong_open_is_no_split() -> None:
    wrong = history()
    wrong.open[AT] *= 0.5
    assert detect(wrong) == []


@pytest.mark.parametrize("ratio", [1.43, 2.2])
def test_a_price_after_a_pause_of_months_is_no_evidence(ratio: float) -> None:
    assert detect(history(ratio, pause_days=97)) == []


@pytest.mark.parametrize("pause_days", [11, 97, 1200])
@pytest.mark.parametrize("ratio", [20.0, 1 / 98])
def test_a_share_that_comes_back_at_a_price_of_another_order_is_suspected(
    ratio: float, pause_days: int
) -> None:
    """As KAUSHALYA, at 9.85 before its pause and at 965 after it."""
    [suspect] = detect(history(ratio, pause_days=pause_days))
    assert suspect.ex_day == EX_DAY + timedelta(days=pause_days)
    assert f"after a pause of {pause_days + 1} days" in suspect.evidence


def test_a_split_within_a_pause_is_suspected() -> None:
    assert [suspect.ratio for suspect in detect(history(2, pause_days=20))] == [2]
    assert [
        suspect.ratio for suspect in detect(history(1.35, pause_days=97), [EX_DAY + timedelta(days=95)])
    ] == [Fraction(4, 3)]


def test_a_step_within_a_pause_is_suspected_where_others_traded_meanwhile() -> None:
    """If no share traded, files are missing, and in a month a share may move by more than a day's band."""
    others = {day_number(EX_DAY + timedelta(days=each)): 0.0 for each in range(-30, 60)}
    assert [suspect.ratio for suspect in detect(history(1.4, pause_days=20), (), others)] == [None]
    assert [suspect.ratio for suspect in detect(history(0.7, pause_days=20), (), others)] == [None]
    assert detect(history(1.4, pause_days=20)) == []
    assert detect(history(1.4, pause_days=97), (), others) == []


def test_on_the_day_itself_a_split_is_found_by_its_volume_and_a_step_by_its_width() -> None:
    assert [suspect.ratio for suspect in detect(history(5, after=0))] == [5]
    assert "it is the newest session" in detect(history(5, after=0))[0].evidence
    assert [suspect.ratio for suspect in detect(history(5, after=0, volume_follows=False))] == [None]
    assert detect(history(1.25, after=0, busy=1.2)) == [], "a step within the bands is waited for"


def test_a_changed_isin_stands_for_the_volume() -> None:
    quiet = history(5, after=0, volume_follows=False)
    assert [suspect.ratio for suspect in detect(quiet, [EX_DAY - timedelta(days=1)])] == [5]
    assert "the ISIN changed" in detect(quiet, [EX_DAY - timedelta(days=1)])[0].evidence
    assert [suspect.ratio for suspect in detect(quiet, [EX_DAY - timedelta(days=40)])] == [None]
    assert detect(history(), [EX_DAY - timedelta(days=1)]) == []


def test_without_trades_before_the_prices_are_the_evidence() -> None:
    dead = history(5)
    dead.volume[:AT] = 0
    assert [suspect.ratio for suspect in detect(dead)] == [5]


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


def test_a_demerger_leaves_the_number_of_shares_as_it_was() -> None:
    raw = history(1.1015)
    after = adjusted(raw, [action((56837, 51600))])
    assert after.close[AT - 1] == pytest.approx(raw.close[AT - 1] / 1.10149, rel=1e-4)
    assert np.array_equal(after.volume, raw.volume)


def test_two_confirmed_ones_multiply() -> None:
    raw = history()
    after = adjusted(raw, [action((5, 1)), action((3, 2), days=10)])
    assert after.close[0] == pytest.approx(raw.close[0] / 7.5)
    assert after.close[10] == pytest.approx(raw.close[10] / 5)


def test_a_consolidation_raises_earlier_prices() -> None:
    raw = history()
    assert adjusted(raw, [action((1, 10))]).close[0] == pytest.approx(raw.close[0] * 10)


def test_a_detected_action_cuts_the_history_with_a_sentence() -> None:
    raw, suspected = history(5), action((5, 1), "detected")
    after = adjusted(raw, [suspected])
    assert np.array_equal(after.close, raw.close[AT:])
    assert after.days[0] == day_number(EX_DAY)
    assert doubts(raw, [suspected]) == (
        "Days before 2025-03-02 are left out: a split or bonus of 5:1 is suspected and not confirmed",
    )


def test_an_unexplained_step_cuts_the_history_with_a_sentence() -> None:
    raw, step = history(1.1), action((284185, 258000), "unexplained")
    assert np.array_equal(adjusted(raw, [step]).close, raw.close[AT:])
    assert doubts(raw, [step]) == (
        "Days before 2025-03-02 are left out: an unexplained step of 2841.85:2580 (a demerger, perhaps) is "
        "suspected and not "
        "confirmed",
    )


@pytest.mark.parametrize("state", ["confirmed", "dismissed"])
def test_a_confirmed_or_dismissed_action_is_no_doubt(state: str) -> None:
    assert doubts(history(5), [action((5, 1), state)]) == ()


def test_a_dismissed_one_does_nothing() -> None:
    raw = history(5)
    assert adjusted(raw, [action((5, 1), "dismissed")]) is raw
    assert adjusted(raw, []) is raw


def test_an_action_before_the_history_cuts_nothing() -> None:
    raw, suspected = history(), action((5, 1), "detected", days=-5)
    assert adjusted(raw, [suspected]) is raw
    assert doubts(raw, [suspected]) == ()
    assert doubts(History(*(column[:0] for column in raw)), [suspected]) == ()


def test_a_detected_one_cuts_and_a_confirmed_one_after_it_still_counts() -> None:
    raw = history()
    after = adjusted(raw, [action((2, 1), "detected", days=10), action((5, 1), days=40)])
    assert after.close[0] == pytest.approx(raw.close[10] / 5)
    assert after.close[-1] == raw.close[-1]
