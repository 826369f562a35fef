"""The official candle of a day beside the bars of its minutes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ltp.core.bars.bar import Bar
from ltp.core.history.candle import Candle
from ltp.core.trading_day import day_start
from ltp.db import candles, minute_bars
from ltp.web.charts.day_difference import difference

DAY = date(2026, 11, 27)
OPEN = day_start(DAY) + 555 * 60
BARS = [
    Bar(OPEN, 100_0000, 110_0000, 99_0000, 105_0000, 700),
    Bar(OPEN + 60, 105_0000, 106_0000, 98_0000, 101_0000, 300),
]


def candle(**changed: int) -> Candle:
    return Candle(DAY, 99_5000, 110_0000, 98_0000, 101_0000, 1_000)._replace(**changed)


def test_where_nothing_differs_nothing_is_said() -> None:
    assert difference(candle(), BARS, currency=False) == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"high": 111_0000}, "high 111.00 (bars 110.00)"),
        ({"low": 97_5000}, "low 97.50 (bars 98.00)"),
        ({"close": 101_2500}, "close 101.25 (bars 101.00)"),
        ({"volume": 1_23_456}, "volume 1,23,456 (bars 1,000)"),
        ({"close": 100_0000, "volume": 999}, "close 100.00 (bars 101.00), volume 999 (bars 1,000)"),
    ],
)
def test_what_differs_has_both_values(changed: dict[str, int], said: str) -> None:
    sentence = difference(candle(**changed), BARS, currency=False)
    assert sentence == f"The official candle of the day differs from these bars: {said}."


def test_an_index_has_no_volume_to_differ_and_a_currency_four_decimals() -> None:
    index = [bar._replace(volume=0) for bar in BARS]
    assert difference(candle(volume=5), index, currency=False) == ""
    assert "close 100.9975 (bars 101.0000)" in difference(candle(close=100_9975), BARS, currency=True)


def test_the_page_of_a_session_that_is_over_says_it(site: Any) -> None:
    minute_bars.upsert(site.engine, {"NSE_EQ:1333": BARS})
    page = "/instruments/NSE_EQ/1333?timeframe=1m"
    assert "official candle" not in site.page(page)
    candles.upsert(site.engine, "raw", {"NSE_EQ:1333": [candle(close=101_2500)]})
    said = "The official candle of the day differs from these bars: close 101.25 (bars 101.00)."
    assert said in site.page(page)
    assert said not in site.page(f"{page}&range=5d")
