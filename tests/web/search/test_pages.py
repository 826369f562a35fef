from __future__ import annotations

from typing import Any

import pytest

from ltp.core.instrument import Instrument
from ltp.db.instrument_index import SearchResult
from ltp.errors import LimitError
from ltp.web.search import pages

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_search_lists_matches_and_redirects_to_an_exact_one(site: Any) -> None:
    page = site.page("/instruments?q=hdfc")
    assert "/instruments/NSE_EQ/1333" in page
    assert "/instruments/BSE_EQ/500180" in page
    assert site.client.get("/instruments?q=tcs").location == "/instruments/NSE_EQ/11536"
    assert site.client.get("/instruments?q=NSE_EQ:2031").location == "/instruments/NSE_EQ/2031"
    assert "No instrument has this" in site.page("/instruments?q=zzz")
    assert "Type a symbol" in site.page("/instruments")
    assert "/instruments/NSE_EQ/1333" in site.page("/instruments?q=INE040A0")


def test_a_typo_is_named_and_leads_nowhere_by_itself(site: Any) -> None:
    page = site.page("/instruments?q=hdfcbnak")
    assert "With one letter changed" in page
    assert "/instruments/NSE_EQ/1333" in page


def test_the_typed_words_stay_in_the_form_of_the_page_as_text(site: Any) -> None:
    page = site.page('/instruments?q="><img onerror=x>')
    assert 'name="q" value="&#34;&gt;&lt;img onerror=x&gt;"' in page
    assert "<img" not in page


def test_suggestions_are_links_and_names_are_text(site: Any) -> None:
    answer = site.client.get("/instruments/suggest?q=m%26m", headers=PART)
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert '<a href="/instruments/NSE_EQ/2031"><b>M&amp;M</b> Mahindra' in answer.text
    assert "&lt;b&gt;Ltd&lt;/b&gt;" in answer.text
    assert "1 instrument</p>" in answer.text
    assert "<!doctype" not in answer.text


def test_no_words_have_no_suggestions_and_no_match_says_so(site: Any) -> None:
    assert site.page("/instruments/suggest").strip() == ""
    assert site.page("/instruments/suggest?q=+").strip() == ""
    assert "No instrument matches" in site.page("/instruments/suggest?q=zzz")


def test_what_is_not_accepted_leaves_the_open_list(site: Any) -> None:
    answer = site.client.get(f"/instruments/suggest?q={'a' * 201}", headers=PART)
    assert (answer.status_code, answer.headers["HX-Reswap"]) == (400, "none")


def test_a_busy_search_is_a_503_with_the_time_to_wait(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(words: str, limit: int) -> SearchResult:
        raise LimitError("searches at a time", 1, retry_after_s=2)

    monkeypatch.setattr(site.app.extensions["ltp"].catalog, "search", busy)
    answer = site.client.get("/instruments/suggest?q=a", headers=PART)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_a_hit_names_former_symbols_without_isins() -> None:
    share = Instrument("NSE_EQ", 5097, "ETERNAL", "Eternal", "INE758T01015", 1, 5)
    found = SearchResult([share], former={share.key: ["ZOMATO", "INE758T01007"]})
    assert pages._hits(found) == [pages.Hit(share, "/instruments/NSE_EQ/5097", "ZOMATO")]
