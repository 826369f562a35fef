"""The live cells of a quote page, from literal quotes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import State, Tick
from ltp.web.quote import range_cells
from ltp.web.quote.range_cells import draw_function, open_interest_column, with_ranges, year_column

KEY = "NSE_EQ:1333"


def quote(ltp: int | None, state: State = "live", key: str = KEY, **values: Any) -> Quote:
    return Quote(key, Tick(key, ltp, session="2026-11-30", **values), state)


def draw(column: str, shown: Quote) -> str:
    function = draw_function(column)
    assert function is not None
    return function(shown)


def place(markup: str) -> tuple[str, str]:
    """Return class and x of the mark of the price, of 200."""
    found = re.search(r'<path class="(at[a-z ]*)" d="M(\d+) 0v12"/>', markup)
    assert found
    return found[1], found[2]


def test_the_range_of_the_day_has_low_high_open_and_the_place_of_the_price() -> None:
    shown = quote(1_025_000, low=1_000_000, high=1_100_000, open=1_050_000)
    assert draw("dayrange", shown) == (
        "<span>100.00</span>"
        '<svg class="range" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="rail" d="M0 6h200"/><path class="open" d="M100 1v10"/><path class="at" d="M50 0v12"/></svg>'
        "<span>110.00</span> <i>25%</i>"
    )


@pytest.mark.parametrize(
    ("ltp", "x", "share"),
    [(1_000_000, "0", "0%"), (1_100_000, "200", "100%"), (1_099_900, "200", "99%")],
)
def test_the_ends_of_the_range(ltp: int, x: str, share: str) -> None:
    markup = draw("dayrange", quote(ltp, low=1_000_000, high=1_100_000, open=1_000_000))
    assert place(markup) == ("at", x)
    assert f"<i>{share}</i>" in markup


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("quiet", "<i>50%, quiet</i>"),
        ("closed", "<i>50%, closed</i>"),
        ("stale", '<i class="w">50%, stale</i>'),
    ],
)
def test_a_price_that_is_not_live_is_marked_as_a_former_one(state: State, words: str) -> None:
    markup = draw("dayrange", quote(1_050_000, state, low=1_000_000, high=1_100_000))
    assert place(markup) == ("at was", "100")
    assert words in markup


def test_a_price_outside_of_its_low_and_high_widens_them() -> None:
    markup = draw("dayrange", quote(1_200_000, low=1_000_000, high=1_100_000, open=1_000_000))
    assert "<span>120.00</span> <i>100%</i>" in markup
    assert place(markup) == ("at", "200")


def test_a_day_of_one_price_has_no_share() -> None:
    markup = draw("dayrange", quote(1_000_000, low=1_000_000, high=1_000_000, open=1_000_000))
    assert place(markup) == ("at", "100")
    assert "<i>one price</i>" in markup


@pytest.mark.parametrize(
    "shown",
    [
        Quote(KEY, None, "unknown"),
        quote(None, "unknown", low=1, high=2),
        quote(1_000_000),
        quote(1_000_000, low=1_000_000),
    ],
)
def test_without_a_range_there_is_a_dash(shown: Quote) -> None:
    assert draw("dayrange", shown) == "–"


def test_the_range_of_52_weeks_is_that_of_the_candles_widened_by_today() -> None:
    column = year_column(800_000, 1_200_000, 1_000_000)
    assert column == "yearrange@800000-1200000-1000000"
    inside = draw(column, quote(900_000, low=890_000, high=910_000, prev_close=1_000_000))
    assert "<span>80.00</span>" in inside
    assert "<span>120.00</span> <i>25%</i>" in inside
    assert place(inside) == ("at", "50")
    lower = draw(column, quote(790_000, low=700_000, high=910_000, prev_close=1_000_000))
    assert "<span>70.00</span>" in lower
    higher = draw(column, quote(1_250_000, low=1_190_000, high=1_300_000, prev_close=1_200_000))
    assert "<span>130.00</span>" in higher
    assert place(higher)[1] == str(round((125 - 80) * 200 / (130 - 80)))


def test_prices_of_another_scale_have_no_range_of_52_weeks() -> None:
    """On the day of a split that the candles do not know yet, the exchange has divided the previous close."""
    column = year_column(800_000, 1_200_000, 1_000_000)
    assert draw(column, quote(500_000, low=490_000, high=510_000, prev_close=500_000)) == "–"
    assert draw(column, quote(790_000, low=780_000, high=800_000, prev_close=750_000)) != "–"
    assert draw(column, quote(790_000, low=780_000, high=800_000, prev_close=749_000)) == "–"
    assert draw(column, quote(790_000)) != "–"


def test_a_currency_has_four_decimals() -> None:
    shown = quote(832_475, key="NSE_CURRENCY:1", low=832_000, high=833_000)
    assert draw("dayrange", shown).startswith("<span>83.2000</span>")


def test_the_volume_is_put_beside_its_average() -> None:
    column = range_cells.relative_volume_column(1_500_000)
    assert draw(column, quote(1, volume=1_234_567)) == "15,00,000 <i>82% of it today</i>"
    assert draw(column, quote(1)) == "15,00,000"


@pytest.mark.parametrize(
    ("before", "oi", "text"),
    [
        (100_000, 101_250, "1,01,250 <i>+1,250 (+1.3%)</i>"),
        (100_000, 98_000, "98,000 <i>-2,000 (-2.0%)</i>"),
        (100_000, 100_000, "1,00,000 <i>0 (0.0%)</i>"),
        (0, 5_000, "5,000"),
        (None, 5_000, "5,000"),
        (100_000, None, "–"),
    ],
)
def test_open_interest_has_its_change_where_the_session_before_is_known(
    before: int | None, oi: int | None, text: str
) -> None:
    assert draw(open_interest_column(before), quote(1, oi=oi)) == text


@pytest.mark.parametrize(
    "column",
    ["dayrange@1", "yearrange", "yearrange@1-2", "yearrange@1-2-x", "relvol", "oi@1-2", "ltp", "state@17"],
)
def test_other_columns_are_none_of_this_module(column: str) -> None:
    assert draw_function(column) is None


def test_columns_of_plans_are_found_beside_these() -> None:
    found = with_ranges(lambda column: (lambda _: column) if column == "state@17" else None)
    state, day = found("state@17"), found("dayrange")
    assert state is not None
    assert day is not None
    assert (state(quote(1)), day(quote(1))) == ("state@17", "–")
    assert found("nothing") is None
