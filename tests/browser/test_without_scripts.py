"""The same pages with JavaScript off: plain links, plain forms, and a reload every 15 seconds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"


@pytest.fixture
def plain(visit: Callable[..., Page]) -> Callable[[str], Page]:
    return lambda path: visit(path, java_script_enabled=False)


def test_prices_are_there_and_renew_themselves(plain: Callable[[str], Page]) -> None:
    page = plain(SWING)
    before = page.locator("[id^=ltp-]").all_inner_texts()
    assert sum("₹" in text for text in before) > 40
    with page.expect_event("load", timeout=60_000):
        pass
    assert page.locator("[id^=ltp-]").all_inner_texts() != before


def test_filter_sort_columns_and_size_are_links_and_a_form(plain: Callable[[str], Page]) -> None:
    page = plain(SWING)
    page.click("#s-symbol")
    assert page.url.endswith("?sort=symbol")
    page.fill("#q", "bank")
    page.select_option("#size", "25")
    page.click("#filter button")
    assert "q=bank" in page.url
    assert "sort=symbol" in page.url
    assert "size=25" in page.url
    symbols = page.locator("tbody th a").all_inner_texts()
    assert "HDFCBANK" in symbols
    assert symbols == sorted(symbols)
    page.click("summary")
    page.click("#c-volume")
    assert page.locator("#s-volume").count() == 0
    assert "q=bank" in page.url


def test_an_instrument_is_found(plain: Callable[[str], Page]) -> None:
    page = plain("/")
    page.fill("#find", "hdfcbank")
    page.click(".find button")
    assert page.url.endswith("/instruments/NSE_EQ/1333")
    expect(page.locator("#ltp-NSE_EQ-1333")).to_contain_text("₹")
