from __future__ import annotations

import math

import numpy as np
import pytest

from ltp.screen.history import History
from ltp.screen.steps import market_steps, step_candidates


def opened(*factors: float) -> History:
    """A share that closes at 100 each day and opens at these parts of it."""
    close = np.full(len(factors) + 1, 100.0)
    opening = np.array([100.0, *(100.0 * factor for factor in factors)])
    days = np.arange(close.size, dtype=np.int32)
    return History(days, opening, np.maximum(opening, close), np.minimum(opening, close), close, close)


def test_the_market_s_move_is_that_of_half_of_the_shares() -> None:
    histories = [opened(0.9, 1.0)] * 20 + [opened(1.0, 1.1)] * 10 + [opened(0.5)]
    moves = market_steps(histories)
    assert moves == pytest.approx({1: math.log(0.9), 2: 0.0})


def test_few_shares_are_no_market() -> None:
    assert market_steps([opened(0.9)] * 29) == {}
    assert market_steps([]) == {}
    assert market_steps([opened()] * 40) == {}


@pytest.mark.parametrize(
    ("factor", "places"),
    [(1.0, []), (0.86, []), (0.85, [1]), (0.8, [1]), (0.79, [1]), (1.2, []), (1.21, [1])],
)
def test_steps_down_and_steps_past_any_band_are_candidates(factor: float, places: list[int]) -> None:
    assert step_candidates(opened(factor), 1.17) == places
