"""Pages with JavaScript off: links, forms, and a reload every 15 seconds on pages without text fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"


@pytest.fixture
def plain(visit: Callable[..., Page]) -> Callable[[str], Page]:
    return lambda path: visit(path, java_script_enabled=False)


def reload_after_1_s(route: Route) -> None:
    answer = route.fetch()
    refresh = '<meta http-equiv="refresh" content="{}">'
    route.fulfill(response=answer, body=answer.text().replace(refresh.format(15), refresh.format(1)))


def reloaded(page: Page) -> bool:
    """Wait until the page has loaded itself anew."""
    with page.expect_event("load"):
        return True


def test_prices_are_there_and_renew_themselves(
    plain: Callable[[str], Page], wait_for: Callable[..., Any]
) -> None:
    page = plain(SWING)
    prices = page.locator("[id^=ltp-]")
    before = prices.all_inner_texts()
    assert sum("₹" in text for text in before) > 40
    expect(page.locator("meta[http-equiv=refresh]")).to_have_attribute("content", "15")
    page.route(f"**{SWING}", reload_after_1_s)
    page.reload()
    wait_for(lambda: reloaded(page) and prices.all_inner_texts() != before)


def test_capital_and_risk_of_a_page_that_renews_itself_are_set_on_one_that_stands_still(
    plain: Callable[[str], Page],
) -> None:
    page = plain(f"{SWING}?tab=recommendations")
    page.click("#to-sizing")
    assert page.url.endswith("?tab=recommendations&live=0#sizing")
    page.fill("#capital", "5,00,000")
    page.click("#size-them")
    assert page.url.endswith("?tab=recommendations&capital=500000&live=0")


def test_filter_sort_columns_and_size_are_links_and_a_form(plain: Callable[[str], Page]) -> None:
    page = plain(SWING)
    page.click("#s-symbol")
    assert page.url.endswith("?sort=symbol")
    page.click("#to-filter")
    assert page.url.endswith("?sort=symbol&live=0#filter")
    page.fill("#q", "bank")
    page.select_option("#size", "25")
    page.click("#filter button")
    assert "q=bank" in page.url
    assert "sort=symbol" in page.url
    assert "size=25" in page.url
    symbols = page.locator("tbody th a").all_inner_texts()
    assert "HDFCBANK" in symbols
    assert symbols == sorted(symbols)
    page.click("#columns summary")
    page.uncheck("input[value=volume]")
    page.select_option("#by", "-score")
    page.select_option("#then", "chgp")
    page.select_option("#group", "sector,score")
    page.click("#arrange")
    assert "q=bank" in page.url
    assert "&sort=-score,chgp&group=sector,score&columns=rank,ltp,chgp,score," in page.url
    assert page.locator("#s-volume").count() == 0
    assert page.locator("tr.group").count() > 0


def test_an_instrument_is_found(plain: Callable[[str], Page]) -> None:
    page = plain("/")
    page.click("#n-find")
    page.fill("#find", "hdfcbank")
    page.click(".find button")
    assert page.url.endswith("/instruments/NSE_EQ/1333")
    expect(page.locator("#ltp-NSE_EQ-1333")).to_contain_text("₹")


@pytest.mark.parametrize(
    "path",
    [
        "/", SWING, f"{SWING}?live=0", f"{SWING}?tab=recommendations", f"{SWING}/NSE_EQ/1333", "/screeners",
        "/screeners/custom", "/screeners/custom?c=close+%3E+1", "/instruments", "/status",
        "/watchlists", "/screeners/custom?c=volume+%3E+1&universe=nifty50", "/instruments/NSE_EQ/1333", f"{SWING}/runs",
        f"{SWING}/changes",
    ],
)  # fmt: skip
def test_no_page_loads_itself_anew_over_a_text_that_is_being_typed(
    plain: Callable[[str], Page], path: str
) -> None:
    page = plain(path)
    timed = page.locator("meta[http-equiv=refresh]").count()
    typed = page.locator("input:visible, select:visible, textarea:visible").count()
    assert not (timed and typed), (timed, typed)
    assert timed or typed


def test_a_screen_under_composition_is_loaded_anew_by_a_link(plain: Callable[[str], Page]) -> None:
    page = plain("/screeners/custom?c=close+%3E+2")
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    page.fill("#c-new", "rsi14 > 6")
    page.wait_for_timeout(3_000)  # pages of evaluations without a form reload after two seconds
    assert page.input_value("#c-new") == "rsi14 > 6"
    address = page.url
    page.click("#reload")
    assert page.url.rstrip("?") == address
    assert page.input_value("#c-new") == ""


@pytest.mark.parametrize("path", [SWING, f"{SWING}?tab=recommendations&size=25"])
def test_the_page_scrolls_and_no_box_in_it_so_that_a_reload_can_keep_the_place(
    visit: Callable[..., Page], path: str
) -> None:
    page = visit(path, java_script_enabled=False, viewport={"width": 1280, "height": 420})
    box = page.locator(".board").evaluate(
        "board => [getComputedStyle(board).overflowX, getComputedStyle(board).overflowY]"
    )
    assert box == ["visible", "visible"]
    assert page.evaluate("document.documentElement.scrollHeight") > 420  # the window
    page.locator("tbody tr").nth(18).scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0
    assert page.locator(".board").evaluate("board => board.scrollTop") == 0
