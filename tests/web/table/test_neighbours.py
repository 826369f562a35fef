"""The page of a row links to the rows around it in the list that it was opened from."""

from __future__ import annotations

import re
from typing import Any

import pytest

SWING = "/screeners/swing"


def around(page: str) -> tuple[str, str | None, str | None, str]:
    """Return "2 of 3", the addresses of the row before and after, and the way back."""
    number = re.search(r'<nav class="around"[^>]*><span>([^<]+)</span>', page)
    before = re.search(r'rel="prev" href="([^"]+)"', page)
    after = re.search(r'rel="next" href="([^"]+)"', page)
    back = re.search(r'<a href="([^"]+)" id="b-rows"', page)
    assert back
    return (
        number[1] if number else "",
        before and before[1],
        after and after[1],
        back[1].replace("&amp;", "&"),
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"{SWING}/NSE_EQ/1333", ("1 of 3", None, f"{SWING}/NSE_EQ/2031", f"{SWING}#i-NSE_EQ-1333")),
        (
            f"{SWING}/NSE_EQ/2031",
            ("2 of 3", f"{SWING}/NSE_EQ/1333", f"{SWING}/NSE_EQ/11536", f"{SWING}#i-NSE_EQ-2031"),
        ),
        (
            f"{SWING}/NSE_EQ/1333?setup=breakout",
            ("1 of 2", None, f"{SWING}/NSE_EQ/11536?setup=breakout", f"{SWING}?setup=breakout#i-NSE_EQ-1333"),
        ),
        (
            f"{SWING}/NSE_EQ/11536?sort=-symbol",
            ("1 of 3", None, f"{SWING}/NSE_EQ/2031?sort=-symbol", f"{SWING}?sort=-symbol#i-NSE_EQ-11536"),
        ),
        (f"{SWING}/NSE_EQ/2031?setup=breakout", ("", None, None, f"{SWING}?setup=breakout")),
        (f"{SWING}/NSE_EQ/2031?q=bank&live=0", ("", None, None, f"{SWING}?q=bank")),
    ],
)
def test_the_place_is_in_the_list_of_the_same_query(site: Any, url: str, expected: tuple[str, ...]) -> None:
    assert around(site.page(url)) == expected


def test_an_order_of_prices_uses_the_present_prices(site: Any, wait_for: Any) -> None:
    for key, price in (("NSE_EQ:1333", 300), ("NSE_EQ:2031", 100), ("NSE_EQ:11536", 200)):
        site.market.price(key, price * 10_000)
    site.market.publish(["NSE_EQ:1333", "NSE_EQ:2031", "NSE_EQ:11536"])
    wait_for(lambda: site.hub.quotes(["NSE_EQ:2031"])[0].tick.ltp == 1_000_000)
    number, before, after, _ = around(site.page(f"{SWING}/NSE_EQ/11536?sort=ltp"))
    assert (number, before, after) == (
        "2 of 3",
        f"{SWING}/NSE_EQ/2031?sort=ltp",
        f"{SWING}/NSE_EQ/1333?sort=ltp",
    )


def test_links_of_rows_keep_the_filter_and_not_page_or_pause(site: Any) -> None:
    page = site.page(f"{SWING}?q=a&size=25&live=0")
    assert f'<a href="{SWING}/NSE_EQ/1333?q=a&amp;size=25" id="i-NSE_EQ-1333">' in page
    assert f'<a href="{SWING}/NSE_EQ/1333" id="i-NSE_EQ-1333">' in site.page(SWING)
    assert '<h1 id="i-NSE_EQ-1333" tabindex="-1" autofocus>' in site.page(f"{SWING}/NSE_EQ/1333")


def test_a_query_that_the_list_refuses_is_refused_on_the_row(site: Any) -> None:
    assert site.client.get(f"{SWING}/NSE_EQ/1333?sort=nonsense").status_code == 400
