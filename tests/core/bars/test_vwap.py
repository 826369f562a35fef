from __future__ import annotations

from ltp.core.bars.bar import Bar
from ltp.core.bars.vwap import vwap


def bar(start: int, price: int, volume: int) -> Bar:
    return Bar(start, price, price + 30, price - 30, price, volume)


def test_the_average_is_weighted_by_volume_and_each_session_starts_anew() -> None:
    bars = [bar(0, 100, 0), bar(60, 200, 10), bar(120, 500, 30), bar(86_400, 100, 5)]
    assert vwap(bars, lambda each: each.start // 86_400) == [None, 200, 425, 100]


def test_a_bar_counts_with_the_middle_of_high_low_and_close() -> None:
    assert vwap([Bar(0, 90, 120, 60, 90, 1), Bar(60, 90, 120, 90, 105, 2)], lambda _: 0) == [90, 100]


def test_there_may_be_no_bars() -> None:
    assert vwap([], lambda _: 0) == []
