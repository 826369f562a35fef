from __future__ import annotations

from typing import Any


def test_the_first_page_lists_screeners_with_counts_and_times(site: Any) -> None:
    page = site.page("/")
    assert 'href="/screeners/swing"' in page
    assert "3 results" in page
    assert "No results yet" in page
    assert " IST</time>" in page


def test_the_first_page_shows_phase_and_feed(site: Any) -> None:
    page = site.page("/")
    assert '<p id="status" role="status"><span class="feed-live">Feed live</span> · NSE open</p>' in page
    assert "<dt>NSE shares</dt><dd>open</dd>" in page


def test_the_first_page_shows_the_indices_in_the_master(site: Any) -> None:
    page = site.page("/")
    assert (
        '<span id="ltp-IDX_I-13" data-instrument-key="IDX_I:13" hx-ignore><b>25,900.10</b> <i>live</i></span></td>'
        in page
    )
    assert "BANKNIFTY" not in page


def test_names_are_escaped_on_every_page(site: Any) -> None:
    for url in ("/screeners/swing", "/instruments/NSE_EQ/2031", "/instruments?q=Mahindra"):
        page = site.page(url)
        assert "Mahindra &amp; &#34;Mahindra&#34; &lt;b&gt;Ltd&lt;/b&gt;" in page
        assert "<b>Ltd" not in page
    assert "<script>alert" not in site.page("/screeners/swing?tab=recommendations&columns=why")
    assert "&lt;script&gt;" in site.page("/instruments?q=%3Cscript%3E")


def test_simulated_prices_are_marked_on_every_page(site: Any, wait_for: Any) -> None:
    urls = (
        "/",
        "/screeners/swing",
        "/screeners/longterm",
        "/instruments/NSE_EQ/1333",
        "/instruments",
        "/nowhere",
    )
    assert all("Simulated prices" in site.client.get(url).text for url in urls)
    site.market.publish(source="dhanhq")
    wait_for(lambda: site.hub.source == "dhanhq")
    assert not any("Simulated prices" in site.client.get(url).text for url in urls)


def test_without_the_cache_pages_show_the_last_known_prices_as_stale(site: Any, wait_for: Any) -> None:
    site.page("/screeners/swing")
    site.market.down = True
    site.market.publish(feed="down")
    wait_for(lambda: site.hub.feed == "down")
    page = site.page("/screeners/swing")
    assert '<b>₹1,650.35</b> <i class="w">stale, 23 Nov</i>' in page
    assert "Feed disconnected" in page
    for url in ("/", "/screeners/longterm", "/instruments/BSE_EQ/500180", "/screeners/swing/poll"):
        site.page(url)


def test_a_closed_market_shows_the_date_of_its_prices(site: Any, wait_for: Any) -> None:
    site.market.publish(phase="closed")
    wait_for(lambda: site.hub.phase.get("NSE_EQ") == "closed")
    assert "<i>closed 23 Nov</i>" in site.page("/instruments/NSE_EQ/1333")


def test_without_scripts_a_page_renews_itself_unless_it_is_paused(site: Any) -> None:
    refresh = '<noscript><meta http-equiv="refresh" content="15"></noscript>'
    for url in ("/", "/screeners/swing", "/instruments/NSE_EQ/1333"):
        assert refresh in site.page(url).partition("</head>")[0]
        paused = site.page(f"{url}?live=0")
        assert refresh not in paused
        assert "hx-sse:connect" not in paused
        assert "Paused at" in paused


def test_errors_are_pages_that_a_link_can_swap_in(site: Any) -> None:
    boosted = {"HX-Request": "true", "HX-Boosted": "true", "HX-Request-Type": "full"}
    answer = site.client.get("/screeners/swing?size=7", headers=boosted)
    assert answer.status_code == 400
    assert 'id="screen"' in answer.text
