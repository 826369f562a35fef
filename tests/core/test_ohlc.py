from __future__ import annotations

import pytest

from ltp.core import ohlc


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        ((2, 3, 1, 2), ""),
        ((2, 2, 2, 2), ""),
        ((2, 1, 3, 2), "the high is below the low"),
        ((4, 3, 1, 2), "the open is not between low and high"),
        ((2, 3, 1, 0), "the close is not between low and high"),
    ],
)
def test_prices_that_contradict_each_other_are_named(prices: tuple[int, int, int, int], reason: str) -> None:
    assert ohlc.fault(*prices) == reason
