"""Literal values by hand, and the numbers that screens compute on arrays."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from ltp.core.chart.indicators import Values, bollinger, supertrend
from ltp.screen import indicators


def rounded(values: Values) -> list[float | None]:
    return [None if value is None else round(value, 6) for value in values]


def test_bollinger_divides_by_n() -> None:
    bands = bollinger([1, 2, 3, 7], 3, 2)
    reach, later = 2 * math.sqrt(2 / 3), 2 * math.sqrt((4 + 1 + 9) / 3 - 0)  # of 2, 3, 7: −2, −1, 3
    assert bands.middle == [None, None, 2, 4]
    assert rounded(bands.upper) == [None, None, round(2 + reach, 6), round(4 + later, 6)]
    assert rounded(bands.lower) == [None, None, round(2 - reach, 6), round(4 - later, 6)]


def test_equal_closes_have_bands_of_no_width() -> None:
    assert bollinger([1_650_3500] * 5, 3, 2).upper[2:] == [1_650_3500] * 3


def test_supertrend_turns_when_the_close_crosses_its_band() -> None:
    closes = [100.0] * 12 + [110, 101]
    found = supertrend([each + 1 for each in closes], [each - 1 for each in closes], closes, 10, 3)
    # ATR 2: bands at 100 ± 6. Then the range is 111 − 100 = 11, ATR (9 × 2 + 11) / 10 = 2.9: the lower band at
    # 110 − 8.7. Then 110 − 100 = 10, ATR (9 × 2.9 + 10) / 10 = 3.61: 101 − 10.83 is lower, so the band stays and
    # 101 is below it.
    assert rounded(found.below) == [None] * 12 + [101.3, None]
    assert rounded(found.above) == [None] * 10 + [106, 106, None, 111.83]


@pytest.mark.parametrize("count", [0, 1, 10])
def test_too_few_bars_have_no_value(count: int) -> None:
    bars = [100.0] * count
    assert supertrend(bars, bars, bars, 10, 3) == ([None] * count, [None] * count)
    assert bollinger([1] * count, 11, 2) == ([None] * count,) * 3


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_screens_compute_the_same(seed: int) -> None:
    chance = random.Random(seed)
    closes, highs, lows = [1_000_0000], [1_001_0000], [999_0000]
    for _ in range(400):
        closes.append(closes[-1] + chance.randrange(-20_0000, 20_0001))
        highs.append(max(closes[-2:]) + chance.randrange(5_0000))
        lows.append(min(closes[-2:]) - chance.randrange(5_0000))
    arrays = [np.array(each, np.float64) for each in (highs, lows, closes)]
    bands, expected = bollinger(closes, 20, 2), indicators.bollinger(arrays[2])
    for found, array in zip(bands, expected, strict=True):
        same(found, array)
    trend, wanted = supertrend(highs, lows, closes, 10, 3), indicators.supertrend(*arrays)
    same(trend.below, np.where(wanted.side > 0, wanted.line, math.nan))
    same(trend.above, np.where(wanted.side < 0, wanted.line, math.nan))
    assert set(wanted.side[10:].tolist()) == {1.0, -1.0}  # both sides occur


def same(found: Values, expected: np.ndarray) -> None:
    numbers = [math.nan if value is None else value for value in found]
    np.testing.assert_allclose(numbers, expected, rtol=1e-6)
