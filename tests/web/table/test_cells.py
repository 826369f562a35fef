from __future__ import annotations

import re
from typing import Any

import pytest

from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.cells import draw_function
from ltp.web.table.columns import COLUMNS

KEY = "NSE_EQ:1333"
PRICE_COLUMNS = [column.name for column in COLUMNS if column.live and not column.of_run]
cell = draw_function()


def quote(
    ltp: int | None = 16_503_500,
    key: str = KEY,
    state: str = "live",
    direction: int = 0,
    moved: bool = False,
    **values: object,
) -> Quote:
    return Quote(key, Tick(key, ltp, **values), state, direction, moved)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (500, "₹0.05"),
        (16_503_500, "₹1,650.35"),
        (9_999_999, "₹1,000.00"),
        (9_999_900, "₹999.99"),
        (1_000_000_000 - 100, "₹99,999.99"),
        (1_000_000_000, "₹1,00,000.00"),
        (12_345_678_500, "₹12,34,567.85"),
        (100_000_000_000, "₹1,00,00,000.00"),
    ],
)
def test_prices_are_grouped_the_indian_way(price: int, text: str) -> None:
    assert cell(quote(price), "ltp") == f"<b>{text}</b> <i>live</i>"


def test_a_currency_has_four_decimals() -> None:
    assert cell(quote(832_475, "NSE_CURRENCY:1"), "ltp") == "<b>₹83.2475</b> <i>live</i>"


def test_an_index_is_points_and_not_rupees() -> None:
    assert cell(quote(259_001_000, "IDX_I:13"), "ltp") == "<b>25,900.10</b> <i>live</i>"


@pytest.mark.parametrize(
    ("direction", "moved", "opened"),
    [
        (0, False, "<b>"),
        (1, True, '<b class="u">'),
        (-1, True, '<b class="d">'),
        (1, False, '<b class="u s">'),
        (-1, False, '<b class="d s">'),
    ],
)
def test_a_move_flashes_and_its_direction_stays_steady_after_it(
    direction: int, moved: bool, opened: str
) -> None:
    assert cell(quote(direction=direction, moved=moved), "ltp").startswith(f"{opened}₹")


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("live", "<i>live</i>"),
        ("quiet", "<i>quiet</i>"),
        ("stale", '<i class="w">stale</i>'),
        ("closed", "<i>closed 20 Nov</i>"),
    ],
)
def test_the_state_is_a_word_beside_the_price(state: str, word: str) -> None:
    assert cell(quote(state=state, session="2026-11-20"), "ltp").endswith(f"</b> {word}")


def test_the_date_that_the_status_line_shows_is_marked_for_tables_to_hide() -> None:
    draw = draw_function(session=lambda: "2026-11-20")
    assert draw(quote(state="closed", session="2026-11-20"), "ltp").endswith('<i class="n">closed 20 Nov</i>')
    assert draw(quote(state="closed", session="2026-11-19"), "ltp").endswith("<i>closed 19 Nov</i>")
    assert draw(quote(session="2026-11-20"), "ltp").endswith("<i>live</i>")


@pytest.mark.parametrize(
    ("state", "session", "word"),
    [
        ("quiet", "2026-11-23", "<i>quiet</i>"),
        ("quiet", "2026-10-18", "<i>quiet, 18 Oct</i>"),
        ("stale", "2025-12-31", '<i class="w">stale, 31 Dec 2025</i>'),
        ("quiet", "<script>12", "<i>quiet</i>"),
        ("quiet", "", "<i>quiet</i>"),
        ("closed", "2026-11-20", "<i>closed 20 Nov</i>"),
        ("live", "2026-11-23", "<i>live</i>"),
    ],
)
def test_a_price_of_another_session_carries_its_date(state: str, session: str, word: str) -> None:
    draw = draw_function(today=lambda: "2026-11-23")
    assert draw(quote(state=state, session=session), "ltp").endswith(f"</b> {word}")


@pytest.mark.parametrize("session", ["", "<script>12", "2026-13-45"])
def test_a_session_that_is_no_date_never_gets_onto_a_page(session: str) -> None:
    assert cell(quote(state="closed", session=session), "ltp").endswith("<i>closed</i>")


@pytest.mark.parametrize("unknown", [Quote(KEY, None, "unknown"), quote(None, state="unknown")])
def test_an_unknown_value_is_a_dash(unknown: Quote) -> None:
    assert cell(unknown, "ltp") == "<b>–</b> <i>unknown</i>"
    assert {cell(unknown, column) for column in PRICE_COLUMNS if column != "ltp"} == {"–"}


@pytest.mark.parametrize(
    ("ltp", "close", "chg", "chgp"),
    [
        (10_100_000, 10_000_000, '<b class="g">+10.00</b>', '<b class="g">+1.00%</b>'),
        (9_875_500, 10_000_000, '<b class="l">-12.45</b>', '<b class="l">-1.25%</b>'),
        (10_000_000, 10_000_000, "0.00", "0.00%"),
        (10_000_500, 100_000_000_000, '<b class="l">-99,98,999.95</b>', '<b class="l">-99.99%</b>'),
        (1_000_000_100, 1_000_000_000, '<b class="g">+0.01</b>', "0.00%"),
        (10_000_000, None, "–", "–"),
    ],
)
def test_change_is_against_the_previous_close(ltp: int, close: int | None, chg: str, chgp: str) -> None:
    shown = quote(ltp, prev_close=close)
    assert (cell(shown, "chg"), cell(shown, "chgp")) == (chg, chgp)


def test_half_of_a_hundredth_of_a_percent_is_rounded_away_from_zero_on_both_sides() -> None:
    assert "+0.13%" in cell(quote(10_012_500, prev_close=10_000_000), "chgp")
    assert "-0.13%" in cell(quote(9_987_500, prev_close=10_000_000), "chgp")


def test_volume_and_prices_of_the_day() -> None:
    shown = quote(volume=12_345_678, open=1_000_000, high=2_000_000, low=900_000, prev_close=16_400_000)
    assert [cell(shown, column) for column in ("volume", "open", "high", "low", "prev")] == [
        "1,23,45,678",
        "100.00",
        "200.00",
        "90.00",
        "1,640.00",
    ]


def test_an_index_has_no_volume_even_when_the_feed_sends_zero() -> None:
    assert cell(quote(key="IDX_I:13", volume=0), "volume") == "–"
    assert cell(quote(volume=0), "volume") == "0"


@pytest.mark.parametrize("column", PRICE_COLUMNS)
def test_a_cell_is_inert_text_with_at_most_one_node_around_the_price(column: str) -> None:
    drawn = cell(
        quote(direction=1, moved=True, volume=5, open=1_000, high=1_000, low=1_000, prev_close=1_000), column
    )
    assert re.fullmatch(r'(<b( class="[a-z ]+")?>[^<>&]+</b>|[^<>&]+)( <i( class="w")?>[^<>&]+</i>)?', drawn)


def test_the_draw_function_of_another_column_is_fetched_once() -> None:
    fetched: list[str] = []

    def planned(column: str) -> Any:
        fetched.append(column)
        return (lambda quote: f"{column} {quote.key}") if "@" in column else None

    draw = draw_function(planned)
    quote = Quote("NSE_EQ:1", None, "unknown")
    assert [draw(quote, "to_entry@7"), draw(quote, "to_entry@7"), draw(quote, "chg")] == [
        "to_entry@7 NSE_EQ:1"
    ] * 2 + ["–"]
    assert fetched == ["to_entry@7"]
    with pytest.raises(KeyError):
        draw(quote, "nothing")


def test_the_columns_of_many_runs_are_drawn_beyond_the_size_of_the_cache() -> None:
    draw = draw_function(lambda column: lambda _: column)
    quote = Quote("NSE_EQ:1", None, "unknown")
    for run in range(2_000):
        assert draw(quote, f"r_now@{run}") == f"r_now@{run}"
    assert draw(quote, "volume") == "–"


def test_a_delay_stands_beside_the_price() -> None:
    late = quote(state="stale")._replace(doubt="delayed by 2 min 30 s")
    assert cell(late, "ltp") == '<b>₹1,650.35</b> <i class="w">stale, delayed by 2 min 30 s</i>'
