from __future__ import annotations

from typing import Any

import pytest

from ltp.core.screener import Outcome, Row
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.cells import draw_function
from ltp.web.table.groups import section_headings
from ltp.web.table.rows import RowLink, chip, fact, money, number, rows

KEY = "NSE_EQ:2031"
ROW = Row(KEY, 2, "M&M", 'Mahindra "<b>"', "Auto", 88.0, "", 30_000_000, None, 35_000_500, "<i>why</i>")
SWING = RowLink("/screeners/swing")
cell = draw_function()


def drawn(row: Row, *columns: str, link: RowLink = SWING, **quote: Any) -> str:
    return str(
        rows(
            [row], columns, {row.key: Quote(row.key, Tick(row.key, 31_000_000), "live", **quote)}, cell, link
        )
    )


def test_a_row_has_symbol_and_name_and_a_link_to_its_page() -> None:
    assert drawn(ROW) == (
        '<tr><th scope="row"><a href="/screeners/swing/NSE_EQ/2031" id="i-NSE_EQ-2031">M&amp;M</a>'
        " <small>Mahindra &#34;&lt;b&gt;&#34;</small></th></tr>\n"
    )


def test_the_links_of_an_older_run_lead_to_that_run() -> None:
    assert 'href="/screeners/longterm/NSE_EQ/2031?run=7"' in drawn(
        ROW, link=RowLink("/screeners/longterm", 7)
    )
    assert 'href="/screeners/swing/NSE_EQ/2031"' in drawn(ROW)


def test_live_cells_are_between_the_values_of_the_run() -> None:
    opened = 'data-instrument-key="NSE_EQ:2031" hx-ignore>'
    assert drawn(ROW, "sector", "ltp", "entry", "stop", "volume", "score").partition("</th>")[2] == (
        '<td class="t">Auto</td>'
        f'<td class="c-ltp"><span id="ltp-NSE_EQ-2031" {opened}<b>₹3,100.00</b> <i>live</i></span></td>'
        "<td>3,000.00</td><td>–</td>"
        f'<td class="c-volume"><span id="volume-NSE_EQ-2031" {opened}–</span></td>'
        "<td>88.0</td></tr>\n"
    )


def test_a_cell_of_a_plan_is_drawn_for_its_run_and_its_id_has_no_run() -> None:
    plan = draw_function(lambda column: lambda quote: f"{column} of {quote.key}")
    page = rows([ROW], ["to_entry@17"], {KEY: Quote(KEY, None, "unknown")}, plan, SWING)
    assert 'class="c-to_entry"><span id="to_entry-NSE_EQ-2031"' in page
    assert ">to_entry@17 of NSE_EQ:2031</span>" in page


@pytest.mark.parametrize(
    ("name", "cell"),
    [("why", "&lt;i&gt;why&lt;/i&gt;"), ("setup", "–"), ("target", "3,500.05"), ("rsi", "–")],
)
def test_a_fact_is_escaped_and_never_empty(name: str, cell: str) -> None:
    assert f">{cell}</td>" in drawn(ROW, name)


def test_cells_are_steady_and_follow_the_quote() -> None:
    assert '<b class="u s">₹3,100.00</b>' in drawn(ROW, "ltp", direction=1, moved=True)
    quotes = {KEY: Quote(KEY, Tick(KEY, 32_000_000), "quiet")}
    assert "<b>₹3,200.00</b> <i>quiet</i>" in rows([ROW], ["ltp"], quotes, cell, SWING)


def test_the_cached_markup_of_a_row_is_not_used_for_another() -> None:
    other = ROW._replace(setup="Base")
    base = '<strong class="chip other">Base</strong>'
    for row, setup in ((ROW, "–"), (other, base), (ROW, "–")):
        assert f'<td class="t">{setup}</td><td>3,000.00</td></tr>' in drawn(row, "setup", "entry")
    assert f'<td>3,000.00</td><td class="t">{base}</td></tr>' in drawn(other, "entry", "setup")


def test_rows_keep_their_order() -> None:
    other = ROW._replace(key="NSE_CURRENCY:7", symbol="USD", entry=832_475)
    quotes = {row.key: Quote(row.key, None, "unknown") for row in (ROW, other)}
    page = rows([other, ROW], ["entry"], quotes, cell, SWING)
    assert 0 < page.index("83.2475") < page.index("M&amp;M")


def test_doubts_about_the_history_are_marked_beside_the_symbol() -> None:
    assert '</a> <abbr title="Split on 1 Nov &lt;not confirmed&gt;.">!</abbr>' in drawn(
        ROW._replace(flags=("Split on 1 Nov <not confirmed>.",))
    )


def test_a_setup_is_a_word_in_a_colour() -> None:
    assert chip("READY") == '<strong class="chip ready">READY</strong>'
    assert chip("WAIT_PULLBACK") == '<strong class="chip wait">WAIT PULLBACK</strong>'
    assert chip("NOT_READY") == '<strong class="chip not">NOT READY</strong>'
    assert chip("<b>") == '<strong class="chip other">&lt;b&gt;</strong>'
    assert chip("") == "–"


def test_criteria_are_counted_and_the_missed_have_their_margin() -> None:
    row = ROW._replace(
        criteria=(Outcome("ADX <strong>", False, 17.5, "> 20", -2.5), Outcome("Trend", True, 1.0))
    )
    page = drawn(row, "criteria")
    assert ">1 of 2, missed: ADX &lt;strong&gt;: 17.5 (&gt; 20, by 2.5)</td>" in page


def test_a_trend_is_a_word_in_the_colour_of_its_direction() -> None:
    assert '<td class="t"><b class="g">up</b></td>' in drawn(ROW._replace(facts={"trend": "up"}), "trend")
    assert '<td class="t">sideways</td>' in drawn(ROW._replace(facts={"trend": "sideways"}), "trend")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("dist_ema20", 1.25, "+1.2%"),
        ("dist_ema20", -0.04, "0.0%"),
        ("rs6m", -3.0, "-3.0%"),
        ("pct_from_high52", 2.26, "2.3%"),
        ("relvol", 1.333, "1.33×"),
        ("rsi", 61.25, "61.2"),
        ("days_in_trend", 12.0, "12"),
        ("ema20", 1234567.891, "12,34,567.89"),
        ("turnover", 123_456_789.0, "12.3 cr"),
        ("zone", (990_0000, 1010_5000), "990.00–1,010.50"),
        ("risk", 98765_4000, "98,765"),
        ("r", 1.987, "1.99"),
        ("quantity", 1234, "1,234"),
        ("allocation_pct", 9.96, "10.0%"),
        ("score", None, "–"),
    ],
)
def test_values_have_the_unit_of_their_column(name: str, value: Any, text: str) -> None:
    assert fact(name, value, KEY) == text


def test_prices_and_scores_on_pages() -> None:
    assert money(None, "NSE_EQ:1") == "–"
    assert money(832_475, "NSE_CURRENCY:1") == "83.2475"
    assert [number(value) for value in (None, 90.0, 91.5, 0.125, 0.0, 12)] == [
        "–",
        "90.0",
        "91.5",
        "0.12",
        "0.0",
        "12",
    ]


def test_a_heading_precedes_the_rows_of_each_section() -> None:
    shown = [
        ROW._replace(key=f"NSE_EQ:{place}", facts={"section": section} if section else {})
        for place, section in enumerate(("", "A & b", "A & b", "C"), start=1)
    ]
    quotes = {row.key: Quote(row.key, None, "unknown") for row in shown}
    headings = section_headings(shown, 2)
    assert list(headings) == ["NSE_EQ:2", "NSE_EQ:4"]
    page = rows(shown, ["ltp"], quotes, cell, SWING, headings=headings)
    heading = '<tr class="group section"><th scope="rowgroup" colspan="2"><span><bdi>{}</bdi> <small></small></span></th></tr>'
    assert [line for line in page.splitlines() if "section" in line] == [
        heading.format("A &amp; b"), heading.format("C"),
    ]  # fmt: skip
    assert page.index("NSE_EQ-1") < page.index("A &amp; b") < page.index("NSE_EQ-2")
    assert "section" not in rows(shown, ["ltp"], quotes, cell, SWING)
