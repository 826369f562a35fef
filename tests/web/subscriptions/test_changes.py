from __future__ import annotations

from typing import Any

import pytest

from ltp.db.pins import pins

OWN = {"Sec-Fetch-Site": "same-origin"}


def post(site: Any, path: str, **fields: str) -> Any:
    return site.client.post(path, data=fields, headers=OWN)


def test_an_instrument_is_pinned_by_symbol_or_key_changed_and_unpinned(site: Any, worker: Any) -> None:
    answer = post(site, "/subscriptions/pins", key=" hdfcbank ", mode="full", note='<img onerror="x">')
    assert (answer.status_code, answer.location) == (303, "/subscriptions/NSE_EQ/1333")
    page = site.page(answer.location)
    assert "Pinned since" in page
    assert "The pin is newer than these figures" in page
    assert '<option value="full" selected>' in page
    assert 'value="&lt;img onerror=&#34;x&#34;&gt;"' in page
    assert "<img" not in page
    post(site, "/subscriptions/pins", key="NSE_EQ:1333", mode="ticker")
    [pin] = pins.fetch(site.engine)
    assert (pin.key, pin.mode, pin.note) == ("NSE_EQ:1333", "ticker", "")
    for _ in range(2):  # the second of two people is shown that it is done
        answer = post(site, "/subscriptions/unpin", key="NSE_EQ:1333")
        assert (answer.status_code, answer.location) == (303, "/subscriptions/NSE_EQ/1333")
    assert "Keep it on the feed" in site.page(answer.location)
    assert pins.fetch(site.engine) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"key": "NOSUCH"}, "key: &#39;NOSUCH&#39; is not accepted; it is a symbol such as HDFCBANK"),
        ({"key": "HDFCBANK", "mode": "depth"}, "mode: &#39;depth&#39; is not accepted"),
        ({"key": "HDFCBANK", "note": "x" * 201}, "up to 200 printable characters"),
    ],
)
def test_a_refusal_is_shown_beside_what_was_typed_and_nothing_is_pinned(
    site: Any, worker: Any, fields: dict[str, str], sentence: str
) -> None:
    answer = post(site, "/subscriptions/pins", **fields)
    assert (answer.status_code, answer.headers["HX-Push-Url"]) == (400, "/subscriptions")
    assert sentence in answer.text
    assert f'value="{fields["key"]}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert pins.fetch(site.engine) == []


def test_a_form_of_another_site_pins_nothing(site: Any, worker: Any) -> None:
    for path in ("/subscriptions/pins", "/subscriptions/unpin"):
        answer = site.client.post(path, data={"key": "HDFCBANK"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert site.client.get(path).location == "/subscriptions"
    assert pins.fetch(site.engine) == []


def test_the_page_of_an_instrument_says_why_it_is_on_the_feed(site: Any, worker: Any) -> None:
    page = site.page("/subscriptions/NSE_EQ/2031")
    assert "M&amp;M" in page
    assert 'Why: Pinned, Open page, <a href="/screeners/swing">Swing screener</a>.' in page
    worker.content = b""
    assert "Not known now." in site.page("/subscriptions/NSE_EQ/2031")
    site.page("/subscriptions/NSE_EQ/7", 404)
    site.page("/subscriptions/ODD/7", 404)


def test_the_quote_page_leads_to_it(site: Any, worker: Any) -> None:
    assert 'href="/subscriptions/NSE_EQ/1333"' in site.page("/instruments/NSE_EQ/1333")
