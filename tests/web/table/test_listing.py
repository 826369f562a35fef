"""Filters of columns on pages: chips, streams that keep their rows, and lists without rows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ltp.core.screener import Row
from tests.web.conftest import ROWS

SWING = "/screeners/swing"


def symbols(page: str) -> list[str]:
    return re.findall(r'id="i-[A-Z_]+-\d+">([^<]+)<', page)


def stream_of(page: str) -> str:
    found = re.search(r'hx-sse:connect="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_filters_select_rows_and_are_chips_that_a_link_takes_off(site: Any) -> None:
    page = site.page(f"{SWING}?f=score%3E80&f=sector%3Dbank")
    assert symbols(page) == ["HDFCBANK"]
    assert f'Score &gt; 80 <a id="x-0" href="{SWING}?f=sector%3Dbank"' in page
    assert f'Sector is bank <a id="x-1" href="{SWING}?f=score%3E80"' in page
    assert "<title>Swing candidates · Score &gt; 80 · Sector is bank" in page
    assert '<input type="hidden" name="f" value="score&gt;80">' in page
    assert f'id="clear" href="{SWING}"' in page


def test_the_form_leaves_an_address_without_empty_fields_and_blanks(site: Any) -> None:
    answer = site.client.get(f"{SWING}?f=score%3E80&q=&f=+RSI+%3E+6,0+&f=")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{SWING}?f=score%3E80&f=rsi%3E60")
    assert site.client.get(f"{SWING}?f=score%3E80&f=rsi%3E60").status_code == 200
    assert site.client.get(f"{SWING}?f=rsi%3E60&f=rsi%3E60").status_code == 303


def test_a_filter_of_a_plan_applies_in_the_tab_of_candidates_too(site: Any) -> None:
    assert symbols(site.page(f"{SWING}?f=entry%3E2000")) == ["M&amp;M"]
    assert symbols(site.page(f"{SWING}?tab=recommendations&f=score%3E90")) == ["HDFCBANK"]


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_files_have_the_rows_of_the_page(site: Any, suffix: str) -> None:
    text = site.page(f"{SWING}.{suffix}?f=score%3C90")
    assert "M&M" in text
    assert "HDFCBANK" not in text
    if suffix == "json":
        assert json.loads(text)["query"] == {"f": ["score<90"]}


def test_a_filter_of_a_price_selects_at_the_load_and_pins_the_rows(site: Any, wait_for: Any) -> None:
    page = site.page(f"{SWING}?f=ltp%3E2000")
    run = site.catalog.current("swing").id
    assert symbols(page) == ["M&amp;M"]
    assert stream_of(page) == f"{SWING}/stream?f=ltp%3E2000&run={run}&rows=2"
    assert "Filter again by present prices" in page
    site.market.price("NSE_EQ:2031", 10_000_000)
    site.market.publish(["NSE_EQ:2031"])
    wait_for(lambda: site.hub.quotes(["NSE_EQ:2031"])[0].tick.ltp == 10_000_000)
    assert "1,000.00" in site.page(f"{SWING}/poll?f=ltp%3E2000&run={run}&rows=2")
    empty = site.page(f"{SWING}?f=ltp%3E2000")
    assert symbols(empty) == []
    assert stream_of(empty) == f"{SWING}/stream?f=ltp%3E2000&run={run}&rows=0"
    assert "ltp-NSE_EQ" not in site.page(f"{SWING}/poll?f=ltp%3E2000&run={run}&rows=0")


def test_a_page_beyond_those_that_prices_left_is_the_last_one(site: Any) -> None:
    assert symbols(site.page(f"{SWING}?f=ltp%3E2000&page=3")) == ["M&amp;M"]
    site.page(f"{SWING}?f=score%3E80&page=3", 400)


def test_a_list_without_rows_counts_the_rows_without_each_condition(site: Any) -> None:
    page = site.page(f"{SWING}?q=tcs&sector=Bank&f=score%3E80")
    assert f'<a id="r-0" href="{SWING}?sector=Bank&amp;f=score%3E80">Without “tcs”: 1</a>' in page
    assert f'<a id="r-1" href="{SWING}?q=tcs&amp;f=score%3E80">Without Sector is Bank: 0</a>' in page
    assert f'<a id="r-2" href="{SWING}?q=tcs&amp;sector=Bank">Without Score &gt; 80: 0</a>' in page
    assert f'<a id="none" href="{SWING}">Show all 3</a>' in page


def test_a_bad_filter_is_a_sentence_and_a_link_that_keeps_the_others(site: Any) -> None:
    page = site.page(f"{SWING}?f=score%3E80&f=rsii%3E6", 400)
    assert "f: &#39;rsii&gt;6&#39; is not accepted; there is no such column; did you mean rsi?" in page
    assert f'href="{SWING}?f=score%3E80"' in page


def test_rows_are_counted_while_a_filter_is_typed(site: Any) -> None:
    assert site.page(f"{SWING}/count?f=score%3E80&f=") == "2 of 3 rows"
    assert site.page(f"{SWING}/count?f=ltp%3E2000") == "1 of 3 rows"
    assert site.page(f"{SWING}/count?f=") == "3 of 3 rows"
    assert site.page(f"{SWING}/count?f=x%26y%3E1") == (
        '<span class="w">there is no column &#39;x&amp;y&#39;; a filter is a column, a sign and a value,'
        " such as rsi&gt;60, sector=IT or name~bank</span>"
    )
    assert site.page("/screeners/longterm/count") == ""
    assert 'hx-get="/screeners/swing/count"' in site.page(SWING)


def test_a_page_of_a_row_knows_its_place_among_filtered_rows(site: Any) -> None:
    page = site.page(f"{SWING}/NSE_EQ/2031?f=score%3E80&f=ltp%3E100&sort=-ltp")
    assert "<span>1 of 2</span>" in page
    assert f'href="{SWING}/NSE_EQ/1333?f=score%3E80&amp;f=ltp%3E100&amp;sort=-ltp"' in page


def test_quantities_are_filtered_by_the_capital_of_the_view(site: Any) -> None:
    plan = ROWS[0]
    site.run("swing", [plan, Row("NSE_EQ:2031", 2, "M&M", entry=30_000_000, stop=29_000_000)], evaluated=100)
    assert symbols(site.page(f"{SWING}?tab=recommendations&f=quantity%3E5&capital=1000000&risk=10000")) == [
        "HDFCBANK", "M&amp;M",
    ]  # fmt: skip
    assert symbols(site.page(f"{SWING}?tab=recommendations&f=quantity%3E5&capital=20000&risk=10000")) == []


def test_two_columns_order_pages_files_and_neighbours(site: Any) -> None:
    url = f"{SWING}?sort=setup,-symbol&tab=recommendations"
    page = site.page(url)
    assert symbols(page) == ["TCS", "HDFCBANK", "M&amp;M"]
    assert "second order, descending" in page
    assert "by Setup, then symbol from Z" in page
    assert [line.split(",")[0] for line in site.page(url.replace("swing?", "swing.csv?")).splitlines()[1:]] == [
        "TCS", "HDFCBANK", "M&M",
    ]  # fmt: skip
    row = site.page(url.replace("swing?", "swing/NSE_EQ/1333?"))
    assert "<span>2 of 3</span>" in row
    assert "NSE_EQ/11536?tab=recommendations&amp;sort=setup,-symbol" in row
