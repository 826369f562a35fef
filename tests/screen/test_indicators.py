"""Indicators compared with numbers computed by hand, and with an independent implementation."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np
import pytest

from ltp.screen import indicators
from ltp.screen.history import History

NAN = math.nan
Walk = Callable[..., History]


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def same(found: np.ndarray, expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


# By hand.


def test_ema_begins_with_the_plain_average() -> None:
    same(indicators.ema(array(2, 4, 6, 8, 12), 3), [NAN, NAN, 4, 6, 9])


def test_rsi_by_wilder() -> None:
    same(indicators.rsi(array(10, 11, 10, 12), 2), [NAN, NAN, 50, 100 * 1.25 / 1.5])


def test_rsi_is_unknown_until_the_price_moved() -> None:
    flat = indicators.rsi(array(*[100.0] * 30))
    assert np.isnan(flat).all()
    moved = indicators.rsi(array(*[100.0] * 20, 101.0, 102.0))
    assert np.isnan(moved[:20]).all()
    assert moved[20:].tolist() == [100, 100]


def test_a_first_price_that_comes_back_does_not_silence_the_rsi() -> None:
    same(indicators.rsi(array(10, 11, 10), 2), [NAN, NAN, 50])


def test_atr_leaves_out_the_first_range_which_has_no_close_before_it() -> None:
    same(indicators.atr(array(12, 13, 15), array(10, 11, 12), array(11, 12, 14), 2), [NAN, NAN, 2.5])


def test_bollinger_divides_by_n() -> None:
    bands = indicators.bollinger(array(1, 2, 3), 3)
    same(bands.upper, [NAN, NAN, 2 + 2 * math.sqrt(2 / 3)])
    same(bands.lower, [NAN, NAN, 2 - 2 * math.sqrt(2 / 3)])


def test_supertrend_turns_when_the_close_crosses_its_band() -> None:
    close = array(*[100.0] * 12, 110.0, 101.0)
    high, low = close + 1, close - 1
    found = indicators.supertrend(high, low, close)
    assert np.isnan(found.line[:10]).all()
    assert np.isnan(found.side[:10]).all()
    # ATR 2: bands at 100 ± 6. Then the range is 111 − 100 = 11, ATR (9 × 2 + 11) / 10 = 2.9: the lower band
    # at 110 − 8.7. Then 110 − 100 = 10, ATR (9 × 2.9 + 10) / 10 = 3.61: 101 − 10.83 is lower, so the band
    # stays and 101 is below it.
    same(found.line[10:], [106, 106, 101.3, 101 + 3 * 3.61])
    assert found.side[10:].tolist() == [-1, -1, 1, -1]


def test_the_index_is_taken_on_or_before_the_day_but_not_older_than_a_week() -> None:
    found = indicators.at_days(
        np.array([5, 10, 12, 17, 18], np.int32), np.array([6, 10], np.int32), array(1, 2)
    )
    same(found, [NAN, 2, 2, 2, NAN])
    assert np.isnan(indicators.at_days(np.array([5], np.int32), np.array([], np.int32), array())).all()


@pytest.mark.parametrize(
    ("close", "averages", "expected"),
    [
        (12, (11, 10, 9), 1),
        (10.5, (11, 10, 9), 1),  # below the quickest only: a pullback
        (9.5, (11, 10, 9), 0),
        (8, (9, 10, 11), -1),
        (12, (9, 10, 11), 0),
        (12, (11, 10, NAN), NAN),
    ],
)
def test_trend(close: float, averages: tuple[float, ...], expected: float) -> None:
    same(indicators.trend(array(close), *(array(each) for each in averages)), [expected])


def test_run_length() -> None:
    assert indicators.run_length(array(1, 0, 1, 1)) == 2
    assert indicators.run_length(array(1, 1)) == 2
    assert indicators.run_length(array(1, NAN)) == 0
    assert indicators.run_length(array()) == 0


# By a plain implementation.


def plain_ema(values: list[float], period: int) -> list[float]:
    found = [NAN] * (period - 1) + [fmean(values[:period])]
    for value in values[period:]:
        found.append(found[-1] + 2 / (period + 1) * (value - found[-1]))
    return found


def wilder(values: list[float], period: int) -> list[float]:
    found = [fmean(values[:period])]
    for value in values[period:]:
        found.append((found[-1] * (period - 1) + value) / period)
    return found


def plain_rsi(close: list[float], period: int = 14) -> list[float]:
    moves = [after - before for before, after in pairwise(close)]
    gains, losses = (
        wilder([max(move, 0) for move in moves], period),
        wilder([max(-move, 0) for move in moves], period),
    )
    return [NAN] * period + [100 - 100 / (1 + gain / loss) for gain, loss in zip(gains, losses, strict=True)]


def ranges(history: History) -> list[float]:
    high, low, close = history.high.tolist(), history.low.tolist(), history.close.tolist()
    return [max(high[n], close[n - 1]) - min(low[n], close[n - 1]) for n in range(1, len(close))]


def plain_atr(history: History, period: int = 14) -> list[float]:
    return [NAN] * period + wilder(ranges(history), period)


def plain_directional(history: History, period: int = 14) -> tuple[list[float], list[float], list[float]]:
    """+DI, −DI and ADX by Wilder's sums: of thirteen moves, then each day less a fourteenth and plus one."""
    high, low = history.high.tolist(), history.low.tolist()
    ups, downs = [], []
    for n in range(1, len(high)):
        up, down = high[n] - high[n - 1], low[n - 1] - low[n]
        ups.append(up if up > down and up > 0 else 0.0)
        downs.append(down if down > up and down > 0 else 0.0)
    spans = ranges(history)
    sums = [sum(each[: period - 1]) for each in (ups, downs, spans)]
    plus, minus, strength = [], [], []
    for n in range(period - 1, len(spans)):
        sums = [
            total - total / period + each[n] for total, each in zip(sums, (ups, downs, spans), strict=True)
        ]
        plus.append(100 * sums[0] / sums[2])
        minus.append(100 * sums[1] / sums[2])
        strength.append(100 * abs(plus[-1] - minus[-1]) / (plus[-1] + minus[-1]))
    return [NAN] * period + plus, [NAN] * period + minus, [NAN] * (2 * period - 1) + wilder(strength, period)


def plain_supertrend(history: History) -> list[float]:
    high, low, close, reach = (
        history.high.tolist(),
        history.low.tolist(),
        history.close.tolist(),
        plain_atr(history, 10),
    )
    found, upper, lower, side = [NAN] * 10, math.inf, -math.inf, "down"
    for n in range(10, len(close)):
        middle = (high[n] + low[n]) / 2
        upper = min(upper, middle + 3 * reach[n]) if close[n - 1] <= upper else middle + 3 * reach[n]
        lower = max(lower, middle - 3 * reach[n]) if close[n - 1] >= lower else middle - 3 * reach[n]
        if n > 10:
            side = (
                "up" if close[n] > (upper if side == "down" else math.nextafter(lower, -math.inf)) else "down"
            )
        found.append(lower if side == "up" else upper)
    return found


@pytest.mark.parametrize("period", [20, 50, 200])
def test_ema_is_the_plain_one(walk: Walk, period: int) -> None:
    close = walk(300).close
    same(indicators.ema(close, period), plain_ema(close.tolist(), period))


def test_rsi_is_the_plain_one(walk: Walk) -> None:
    close = walk(300).close
    same(indicators.rsi(close), plain_rsi(close.tolist()))


def test_atr_is_the_plain_one(walk: Walk) -> None:
    history = walk(300)
    same(indicators.atr(history.high, history.low, history.close), plain_atr(history))


def test_adx_and_its_directions_are_the_plain_ones(walk: Walk) -> None:
    history = walk(300)
    plus, minus, strength = plain_directional(history)
    same(indicators.plus_di(history.high, history.low, history.close), plus)
    same(indicators.minus_di(history.high, history.low, history.close), minus)
    same(indicators.adx(history.high, history.low, history.close), strength)


def test_macd_is_the_plain_one(walk: Walk) -> None:
    close = walk(300).close.tolist()
    # Both averages begin on the 26th candle, the quick one with the average of the twelve up to it.
    quick, slow = plain_ema(close[14:], 12)[11:], plain_ema(close, 26)[25:]
    line = [one - other for one, other in zip(quick, slow, strict=True)]
    signal = plain_ema(line, 9)
    found = indicators.macd(np.array(close))
    same(found.line, [NAN] * 33 + line[8:])
    same(found.signal, [NAN] * 33 + signal[8:])
    same(found.hist, [NAN] * 33 + [one - other for one, other in zip(line[8:], signal[8:], strict=True)])


def test_bollinger_is_the_plain_one(walk: Walk) -> None:
    close = walk(120).close.tolist()
    expected = [NAN] * 19 + [
        fmean(close[n - 19 : n + 1]) + 2 * pstdev(close[n - 19 : n + 1]) for n in range(19, 120)
    ]
    same(indicators.bollinger(np.array(close)).upper, expected)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_supertrend_is_the_plain_one(walk: Walk, seed: int) -> None:
    history = walk(300, seed)
    found = indicators.supertrend(history.high, history.low, history.close)
    same(found.line, plain_supertrend(history))
    assert set(found.side[10:].tolist()) == {1.0, -1.0}  # both sides occur


@pytest.mark.parametrize(
    ("first", "compute"),
    [
        (20, lambda candles: indicators.ema(candles.close, 20)),
        (200, lambda candles: indicators.sma(candles.close, 200)),
        (15, lambda candles: indicators.rsi(candles.close)),
        (15, lambda candles: indicators.atr(candles.high, candles.low, candles.close)),
        (15, lambda candles: indicators.plus_di(candles.high, candles.low, candles.close)),
        (28, lambda candles: indicators.adx(candles.high, candles.low, candles.close)),
        (34, lambda candles: indicators.macd(candles.close).hist),
        (20, lambda candles: indicators.bollinger(candles.close).lower),
        (11, lambda candles: indicators.supertrend(candles.high, candles.low, candles.close).line),
        (20, lambda candles: indicators.highest(candles.high, 20)),
        (20, lambda candles: indicators.lowest(candles.low, 20)),
    ],
)
@pytest.mark.parametrize("spare", [-1, 0, 1])
def test_no_value_before_the_warm_up_is_over(walk: Walk, first: int, compute: Callable, spare: int) -> None:
    history = walk(first + spare)
    found = compute(history)
    assert found.size == history.close.size
    assert np.isnan(found).tolist() == [True] * (first - 1) + [False] * (spare + 1)


def test_nothing_in_gives_nothing_out(walk: Walk) -> None:
    empty = History(*(each[:0] for each in walk(5)))
    assert indicators.ema(empty.close, 20).size == 0
    assert indicators.supertrend(empty.high, empty.low, empty.close).line.size == 0
    assert indicators.adx(empty.high, empty.low, empty.close).size == 0
