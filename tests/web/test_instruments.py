from __future__ import annotations

from typing import Any


def test_an_instrument_page_has_every_value(site: Any) -> None:
    page = site.page("/instruments/NSE_EQ/1333")
    assert '<span id="ltp-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore><b>₹1,650.35</b> <i>live</i></span>' in page
    for column, text in (
        ("open", "1,641.00"),
        ("high", "1,660.00"),
        ("low", "1,635.00"),
        ("prev", "1,640.00"),
        ("volume", "12,34,567"),
    ):
        assert f'<dd id="{column}-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore>{text}</dd>' in page
    assert 'href="/screeners/swing/NSE_EQ/1333"' in page.partition("In screeners")[2]


def test_an_unknown_instrument_is_a_404_that_names_it(site: Any) -> None:
    assert "NSE_EQ:999" in site.page("/instruments/NSE_EQ/999", 404)
    assert site.client.get("/instruments/NSE_EQ/NOPE").status_code == 404
    assert site.client.get("/instruments/NOWHERE/1333").status_code == 404
    assert site.client.get("/instruments/NSE_EQ/01333").status_code == 404


def test_a_symbol_in_place_of_the_id_leads_to_the_page(site: Any) -> None:
    assert site.client.get("/instruments/NSE_EQ/hdfcbank").location == "/instruments/NSE_EQ/1333"


def test_search_lists_what_the_words_may_mean_and_knows_an_exact_one(site: Any) -> None:
    page = site.page("/instruments?q=hdfc")
    assert "/instruments/NSE_EQ/1333" in page
    assert "/instruments/BSE_EQ/500180" in page
    assert site.client.get("/instruments?q=tcs").location == "/instruments/NSE_EQ/11536"
    assert site.client.get("/instruments?q=NSE_EQ:2031").location == "/instruments/NSE_EQ/2031"
    assert "No instrument" in site.page("/instruments?q=zzz")
    assert "Type a symbol" in site.page("/instruments")
