from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from ltp.core.history.candle import day_number
from ltp.screen.history import History
from ltp.screen.open_falls import falls

FIRST = date(2025, 1, 1)


def history(steps: dict[int, float], sessions: int = 200, gap: float = 0.003) -> History:
    """A share that opens `gap` above and below the close before in turn, except in sessions of `steps`."""
    days = np.arange(sessions, dtype=np.int32) + day_number(FIRST)
    factors = 1 + gap * np.where(np.arange(sessions) % 2, 1, -1)
    for at, factor in steps.items():
        factors[at] = factor
    opening = 100 * np.cumprod(factors)
    return History(days, opening, opening, opening, opening, np.full(sessions, 1000.0))


def test_the_largest_falls_are_listed_by_day() -> None:
    drawn = history({30: 0.94, 60: 0.95, 90: 0.93, 110: 0.96, 130: 0.92, 150: 0.945, 170: 0.955})
    assert [fall.day for fall in falls(drawn)] == [
        FIRST + timedelta(days=at) for at in (30, 60, 90, 130, 150)
    ]
    [first] = falls(history({90: 0.93}))
    assert (first.before, first.opened) == pytest.approx((100 * 0.997, 100 * 0.997 * 0.93), rel=0.01)
    assert first.times == pytest.approx(24.2, abs=0.1)


@pytest.mark.parametrize(
    "drawn",
    [
        history({}),
        history({90: 0.97}),
        history({90: 1.07}),
        history({90: 0.7}),
        history({90: 0.93}, gap=0.01),
        history({10: 0.93}),
        history({}, sessions=1),
    ],
    ids=["quiet", "small", "a rise", "wider than any band", "a lively share", "too early", "short"],
)
def test_usual_falls_are_not_listed(drawn: History) -> None:
    assert falls(drawn) == []


def test_days_of_known_actions_and_the_market_s_own_falls_are_left_out() -> None:
    drawn, day = history({90: 0.93}), FIRST + timedelta(days=90)
    assert falls(drawn, [day + timedelta(days=2)]) == []
    assert falls(drawn, moves={day_number(day): -0.05}) == []
    assert [fall.day for fall in falls(drawn, [day - timedelta(days=6)])] == [day]
