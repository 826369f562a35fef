from __future__ import annotations

from typing import Any

import pytest

from ltp.core.quote import Quote
from ltp.core.screener import Row
from ltp.core.tick import Tick
from ltp.web.rows import money, number, rows

KEY = "NSE_EQ:2031"
ROW = Row(KEY, 2, "M&M", 'Mahindra "<b>"', "Auto", 88.0, "", 30_000_000, None, 35_000_500, "<i>why</i>")


def drawn(row: Row, *columns: str, **quote: Any) -> str:
    return str(rows([row], columns, {row.key: Quote(row.key, Tick(row.key, 31_000_000), "live", **quote)}))


def test_a_row_names_its_instrument_and_leads_to_it() -> None:
    assert drawn(ROW) == (
        '<tr><th scope="row"><a href="/instruments/NSE_EQ/2031" id="i-NSE_EQ-2031">M&amp;M</a>'
        " <small>Mahindra &#34;&lt;b&gt;&#34;</small></th></tr>\n"
    )


def test_live_cells_stand_among_what_the_run_says() -> None:
    assert drawn(ROW, "sector", "ltp", "entry", "stop", "volume", "score").partition("</th>")[2] == (
        '<td class="t">Auto</td>'
        '<td id="ltp-NSE_EQ-2031" data-instrument-key="NSE_EQ:2031"><b>₹3,100.00</b> <i>live</i></td>'
        "<td>3,000.00</td><td>–</td>"
        '<td id="volume-NSE_EQ-2031" data-instrument-key="NSE_EQ:2031">–</td>'
        "<td>88</td></tr>\n"
    )


@pytest.mark.parametrize(("name", "cell"), [("why", "&lt;i&gt;why&lt;/i&gt;"), ("setup", "–"), ("target", "3,500.05")])
def test_a_fact_is_escaped_and_never_empty(name: str, cell: str) -> None:
    assert f">{cell}</td>" in drawn(ROW, name)


def test_an_old_move_does_not_flash_and_a_new_price_is_drawn_anew() -> None:
    assert '<b class="u s">₹3,100.00</b>' in drawn(ROW, "ltp", direction=1, moved=True)
    quotes = {KEY: Quote(KEY, Tick(KEY, 32_000_000), "quiet")}
    assert "<b>₹3,200.00</b> <i>quiet</i>" in rows([ROW], ["ltp"], quotes)


def test_rows_that_differ_in_anything_are_drawn_apart() -> None:
    """What is kept of one run must never stand in another's row."""
    drawn(ROW, "setup", "entry")
    assert ">Base<" in drawn(ROW._replace(setup="Base"), "setup", "entry")
    assert "₹" not in drawn(ROW, "entry", "setup")
    assert drawn(ROW, "entry", "setup") != drawn(ROW, "setup", "entry")


def test_rows_keep_their_order() -> None:
    other = ROW._replace(key="NSE_CURRENCY:7", symbol="USD", entry=832_475)
    quotes = {row.key: Quote(row.key, None, "unknown") for row in (ROW, other)}
    page = rows([other, ROW], ["entry"], quotes)
    assert 0 < page.index("83.2475") < page.index("M&amp;M")


def test_numbers_as_a_page_writes_them() -> None:
    assert money(None, "NSE_EQ:1") == "–"
    assert money(832_475, "NSE_CURRENCY:1") == "83.2475"
    assert [number(value) for value in (None, 90.0, 91.5, 0.125, 0.0)] == ["–", "90", "91.5", "0.12", "0"]
