"""`/watchlists/<slug>`: the live table of a list, its files, and an open page that learns of changes."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest

from ltp.core.screener import FIRST_UNSTORED, Row
from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import kind_of
from ltp.db.watchlists import lists, store
from ltp.errors import DatabaseError
from tests.web.watchlists.conftest import HDFC, MM, NIFTY, TCS

PATH = "/watchlists/banks"


def symbols(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a [^>]*id="i-[^>]*>([^<]*)</a>', page)


def change(site: Any, edit: edits.Edit) -> None:
    store.change(site.engine, "banks", edit, "test")


def test_rows_are_in_the_order_of_the_list_with_its_sections_notes_and_flags(banks: Any) -> None:
    page = banks.page(PATH)
    assert symbols(page) == ["TCS", "HDFCBANK", "NIFTY"]
    assert (
        page.index("TCS")
        < page.index("<bdi>Rest &amp; &lt;i&gt;more</bdi> <small></small></span></th></tr>")
        < page.index(">HDFCBANK<")
    )
    assert '<span class="flag red">red</span>' in page
    assert "=1+1 &lt;img onerror=x&gt;" in page
    assert "<img" not in page
    assert 'id="ltp-NSE_EQ-1333"' in page
    assert 'href="/instruments/NSE_EQ/1333" id="i-NSE_EQ-1333"' in page
    assert "3 instruments" in page
    by_symbol = banks.page(f"{PATH}?sort=symbol")
    assert symbols(by_symbol) == ["HDFCBANK", "NIFTY", "TCS"]
    assert "Rest" not in by_symbol
    assert symbols(banks.page(f"{PATH}?q=bank")) == ["HDFCBANK"]
    assert symbols(banks.page(f"{PATH}?sort=-chgp")) != symbols(page)


def test_facts_and_plans_are_of_the_newest_session(banks: Any) -> None:
    page = banks.page(PATH)
    assert ">91.5<" in page  # of the swing screener, whose run has no session either
    banks.run(
        "swing",
        [Row(HDFC, 1, "HDFCBANK", score=70.0, entry=16_000_000, stop=15_000_000)],
        as_of=date(2026, 11, 20),
    )
    assert ">70.0<" in banks.page(PATH)
    own = [Row(HDFC, 1, "HDFCBANK", score=50.0, entry=16_100_000), Row(NIFTY, 2, "NIFTY", score=30.0)]
    banks.run(kind_of("banks"), own, as_of=date(2026, 11, 20), universe="list-banks")
    page = banks.page(PATH)
    assert all(text in page for text in (">50.0<", ">30.0<", "after the session of"))
    banks.run("swing", [Row(TCS, 1, "TCS", score=20.0)], as_of=date(2026, 11, 23))
    page = banks.page(PATH)
    assert ">20.0<" in page
    assert ">50.0<" not in page
    plans = banks.page(f"{PATH}?tab=recommendations")
    assert symbols(plans) == ["TCS", "HDFCBANK", "NIFTY"]


def test_the_cells_of_plans_follow_the_version_that_the_page_shows(banks: Any) -> None:
    banks.run(
        kind_of("banks"),
        [Row(HDFC, 1, "HDFCBANK", entry=16_000_000, stop=15_000_000)],
        as_of=date(2026, 11, 20),
    )
    page = banks.page(f"{PATH}?tab=recommendations&columns=ltp,to_entry")
    assert re.search(r'id="to_entry-NSE_EQ-1333"[^>]*>[^–<]*%', page)
    stream = banks.client.get(f"{PATH}/poll?tab=recommendations&columns=ltp,to_entry")
    assert re.search(r'id="to_entry-NSE_EQ-1333">[^–<]*%', stream.text)
    assert str(FIRST_UNSTORED) not in page + stream.text


def test_a_poll_has_the_cells_of_the_rows(banks: Any) -> None:
    answer = banks.client.get(f"{PATH}/poll?sort=symbol").text
    assert set(re.findall(r'<hx-partial id="ltp-([A-Z_]+-\d+)">', answer)) == {
        "NSE_EQ-1333", "NSE_EQ-11536", "IDX_I-13",
    }  # fmt: skip
    with banks.client.get(f"{PATH}/stream", headers={"Accept": "text/event-stream"}) as stream:
        assert stream.status_code == 200


def test_an_open_page_learns_of_a_change(banks: Any) -> None:
    page = banks.page(f"{PATH}?sort=symbol")
    [url] = re.findall(r'id="list-news"[^>]* hx-get="([^"]+)"', page)
    url = url.replace("&amp;", "&")
    assert banks.client.get(url).status_code == 204
    change(banks, edits.add([MM]))
    answer = banks.client.get(url)
    assert 'hx-get="/watchlists/banks?sort=symbol" hx-trigger="load' in answer.text
    assert symbols(banks.page(f"{PATH}?sort=symbol")) == ["HDFCBANK", "M&amp;M", "NIFTY", "TCS"]
    assert (
        'hx-get="/watchlists/banks?sort=symbol"' in banks.client.get(f"{url}&page=3").text
    )  # it has one page now
    lists.remove(banks.engine, "banks")
    assert "This list was deleted" in banks.client.get(url).text


def test_files_have_rows_in_order_with_notes_that_are_no_formulas(banks: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(banks.page(f"{PATH}.csv?columns=ltp,flag,note"))))
    assert [row["key"] for row in rows] == [TCS, HDFC, NIFTY]
    assert [row["note"] for row in rows] == ["", "'=1+1 <img onerror=x>", ""]
    document = banks.client.get(f"{PATH}.json?columns=ltp,flag").json
    assert (document["screener"], document["run"]["id"], document["matching"]) == ("banks", None, 3)
    assert document["rows"][1]["flag"] == "red"


def test_an_instrument_that_the_master_no_longer_has_keeps_its_line(banks: Any) -> None:
    change(banks, edits.add(["NSE_FNO:49081"]))
    assert "NSE_FNO:49081</a> <small>no longer in the instrument master" in banks.page(PATH)


def test_addresses_that_are_refused(banks: Any) -> None:
    assert "There is no watchlist called &#39;nothing&#39;" in banks.page("/watchlists/nothing", 404)
    assert "a watchlist has no runs" in banks.page(f"{PATH}?run=3", 400)
    assert banks.client.get(f"{PATH}?q=").status_code == 303
    assert "has no run" not in banks.page("/screeners/swing")
    assert 'value="note"' not in banks.page("/screeners/swing")
    assert 'value="note"' in banks.page(PATH)


def test_an_empty_list_offers_to_fill_it(banks: Any) -> None:
    lists.create(banks.engine, "New <b>", source="test")
    page = banks.page("/watchlists/new-b")
    assert "This list is empty" in page
    assert "<bdi>New &lt;b&gt;</bdi>" in page


def test_while_the_database_cannot_be_read_the_last_content_is_shown(
    banks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    banks.page(PATH)

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseError("The database cannot be read", permanent=True)

    monkeypatch.setattr(store, "version", fail)
    assert symbols(banks.page(PATH)) == ["TCS", "HDFCBANK", "NIFTY"]
    monkeypatch.setattr(store, "fetch", fail)
    lists.create(banks.engine, "Other", source="test")
    banks.page("/watchlists/other", 503)


def test_a_thousand_rows_are_shown_in_pages(banks: Any) -> None:
    change(banks, edits.add([f"BSE_EQ:{number}" for number in range(500_000, 500_997)]))
    page = banks.page(f"{PATH}?page=20")
    assert "951–1,000 of 1,000" in page
    assert len(symbols(page)) == 50


def test_the_page_speaks_of_places_and_leads_to_an_alert_on_each_row(banks: Any) -> None:
    page = banks.page(PATH)
    assert "Place in the list</option>" in page
    assert "The list&#39;s own" in page
    assert 'title="Place in the list">No.</a>' in page
    assert "screener&#39;s own" not in page
    form = banks.page(re.search(r'id="b-alert" href="([^"]*)"', page)[1])  # type: ignore[index]
    assert re.search(r'<option value="universe list-banks" selected>', form)
    lists.create(banks.engine, "Empty", (), source="test")
    assert 'id="b-alert"' not in banks.page("/watchlists/empty")
