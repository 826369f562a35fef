"""The page of subscriptions in a real browser: it renews itself and loses neither place nor typed text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
PAGE = "/subscriptions"
ROW = "tr:has(#s-NSE_EQ-1333)"


def test_the_table_renews_itself_and_keeps_scroll_and_typed_text(visit: Callable[..., Page]) -> None:
    page = visit(PAGE, viewport={"width": 1000, "height": 500})
    expect(page.locator(f"{ROW} .chip")).to_have_text("ticking")
    page.fill("#key", "half a wo")
    page.locator("#table").evaluate("board => board.scrollTop = 300")
    page.evaluate("window.scrollTo(0, 120)")
    places = "[document.querySelector('#table').scrollTop, scrollY]"
    before, at = page.evaluate(places), page.locator("#summary time").inner_text()
    assert before[0] == 300
    for _ in range(2):
        page.wait_for_function("at => document.querySelector('#summary time').innerText !== at", arg=at)
        at = page.locator("#summary time").inner_text()
    # Rates are measured from the first look on.
    expect(page.locator(f"{ROW} td").nth(4)).not_to_have_text("–")
    assert page.evaluate(places) == before
    assert page.input_value("#key") == "half a wo"
    assert page.complaints == []  # type: ignore[attr-defined]


def test_an_instrument_is_pinned_and_unpinned_and_full_mode_is_shown(visit: Callable[..., Page]) -> None:
    page = visit(PAGE)
    page.fill("#key", "INFY")
    page.select_option("#mode", "full")
    page.fill("#note", "<b>mine</b>")
    page.click("#b-pin")
    expect(page.locator("#h-pin")).to_contain_text("Pinned since")
    expect(page).to_have_url(re.compile("/subscriptions/NSE_EQ/1594$"))
    page.click("#b-subscriptions")
    row = page.locator("tr:has(#s-NSE_EQ-1594)")
    expect(row.locator("td").nth(2)).to_have_text("full")
    expect(row.locator("td").last).to_contain_text("Pinned")
    row.locator("td").last.locator("a").click()
    expect(page.locator("#h-pin")).to_contain_text("Pinned since")
    assert page.input_value("#note") == "<b>mine</b>"
    page.click("#b-unpin")
    expect(page.locator("#h-pin")).to_have_text("Keep it on the feed")
    page.click("#b-subscriptions")
    expect(row.locator("td").nth(2)).to_have_text("quote")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_wrong_name_is_said_beside_the_form_that_keeps_its_text(visit: Callable[..., Page]) -> None:
    page = visit(PAGE)
    page.fill("#key", "NOSUCH")
    page.click("#b-pin")
    expect(page.locator("#form-error")).to_contain_text("'NOSUCH' is not accepted")
    assert page.input_value("#key") == "NOSUCH"


def test_without_scripts_the_forms_work_and_a_phone_scrolls_down_alone(visit: Callable[..., Page]) -> None:
    page = visit(PAGE, java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.select_option("#state", "ticking")
    page.click("#b-filter")
    expect(page.locator("#s-NSE_EQ-1333")).to_be_visible()
    page.fill("#key", "NSE_EQ:2885")
    page.click("#b-pin")
    expect(page.locator("h1")).to_contain_text("RELIANCE")
    page.click("#b-unpin")
    expect(page.locator("#h-pin")).to_have_text("Keep it on the feed")
    wide = visit(PAGE, viewport={"width": 390, "height": 800})
    assert wide.evaluate("document.documentElement.scrollWidth") == 390
