from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from ltp.core.history.candle import day_number
from ltp.screen.announced import contradiction, stepped
from ltp.screen.history import History

FIRST = date(2025, 6, 2)
EX_DAY = FIRST + timedelta(days=10)


def history(before: float, opened: float, closed: float, pause_days: int = 0) -> History:
    close = np.array([before] * 10 + [closed] * 10)
    opening = np.array([before] * 10 + [opened] + [closed] * 9)
    days = np.arange(20, dtype=np.int32) + day_number(FIRST)
    days[10:] += pause_days
    return History(
        days, opening, np.maximum(opening, close), np.minimum(opening, close), close, np.full(20, 1000.0)
    )


@pytest.mark.parametrize(
    ("ratio", "before", "opened", "closed"),
    [
        ("10", 9334.0, 956.0, 938.0),
        ("2", 1356.0, 686.0, 812.0),  # a band of 20% up
        ("3/2", 195.0, 130.0, 134.0),
        ("11/10", 110.0, 100.0, 103.0),
        ("21/20", 100.0, 99.0, 99.5),
        ("1/10", 8.0, 81.0, 79.0),
    ],
)
def test_candles_that_show_the_ratio_agree(ratio: str, before: float, opened: float, closed: float) -> None:
    assert contradiction(history(before, opened, closed), EX_DAY, Fraction(ratio)) == ""


@pytest.mark.parametrize(
    ("ratio", "before", "opened", "closed"),
    [
        ("5", 9334.0, 956.0, 938.0),
        ("5", 400.0, 100.0, 102.0),
        ("4", 500.0, 100.0, 98.0),
        ("5", 1010.0, 1000.0, 990.0),
        ("11/10", 1010.0, 1000.0, 1005.0),
        ("10", 80.0, 810.0, 790.0),
    ],
)
def test_candles_that_show_another_step_or_none_contradict(
    ratio: str, before: float, opened: float, closed: float
) -> None:
    sentence = contradiction(history(before, opened, closed), EX_DAY, Fraction(ratio))
    shown = (
        f"{before / opened:.2f}:1 (close {before:.2f} before it, then open {opened:.2f} and close "
        f"{closed:.2f})"
    )
    assert sentence == f"the candles of 2025-06-12 show {shown}"


def test_an_ex_day_on_a_holiday_is_the_next_session_s() -> None:
    later = history(100.0, 50.0, 50.0, pause_days=3)
    assert contradiction(later, EX_DAY, Fraction(2)) == ""
    assert "show 2.00:1" in contradiction(later, EX_DAY, Fraction(5))


def test_where_there_are_no_candles_nothing_is_contradicted() -> None:
    for history_ in (
        history(100.0, 100.0, 100.0, pause_days=40),
        History(*(column[:0] for column in history(1.0, 1.0, 1.0))),
    ):
        assert contradiction(history_, EX_DAY, Fraction(5)) == ""
    assert contradiction(history(100.0, 100.0, 100.0), FIRST, Fraction(5)) == ""
    assert contradiction(history(100.0, 100.0, 100.0), FIRST + timedelta(days=90), Fraction(5)) == ""


def quiet(before: float, opened: float, gap: float = 0.002) -> History:
    """A share that opens `gap` off the close before on forty sessions, and at `opened` on the ex-day."""
    days = np.arange(41, dtype=np.int32) + day_number(EX_DAY) - 40
    close = np.full(41, before)
    opening = before * (1 + gap * np.where(np.arange(41) % 2, 1, -1))
    opening[40] = close[40] = opened
    return History(days, opening, np.maximum(opening, close), np.minimum(opening, close), close, close)


def test_an_announced_demerger_shows_in_a_fall_of_several_usual_gaps() -> None:
    assert stepped(quiet(481.6, 455.6), EX_DAY) == (EX_DAY, 481.6, 455.6)
    assert stepped(quiet(481.6, 473.0), EX_DAY) == (EX_DAY, 481.6, 473.0)


def test_an_announced_demerger_that_nothing_shows_is_no_step() -> None:
    assert stepped(quiet(481.6, 478.0), EX_DAY) is None
    assert stepped(quiet(481.6, 455.6, gap=0.01), EX_DAY) is None
    assert stepped(quiet(481.6, 520.0), EX_DAY) is None
    assert stepped(quiet(481.6, 455.6), EX_DAY - timedelta(days=35)) is None
    assert stepped(quiet(481.6, 455.6), EX_DAY + timedelta(days=1)) is None
