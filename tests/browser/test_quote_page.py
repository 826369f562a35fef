"""The quote page in a real browser in front of the real processes: what moves, and what is not shown as live."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.path.stack import Stack

pytestmark = pytest.mark.browser
PAGE = "/instruments/NSE_EQ/1333"
STATE = ".depth i"


def changes(page: Page, selector: str) -> None:
    """Wait until the content of an element is another one."""
    before = page.locator(selector).inner_html()
    page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).innerHTML !== before",
        arg=[selector, before],
    )


def test_order_book_and_ranges_move_while_the_page_is_open(visit: Callable[..., Page]) -> None:
    page = visit(PAGE)
    expect(page.locator(STATE)).to_have_text("live")
    for selector in (".depth tbody", "#dayrange-NSE_EQ-1333"):
        changes(page, selector)
    assert page.locator(".depth tbody tr").count() == 5
    assert page.locator(".depth .lot").count() == 10
    expect(page.locator(".details")).to_contain_text("Circuit limits: as of ")
    expect(page.locator("#hours .on")).to_have_text("Continuous 00:00–24:00 (on now)")
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_frozen_feed_has_no_live_book_and_no_live_place(visit: Callable[..., Page], stack: Stack) -> None:
    page = visit(PAGE)
    expect(page.locator(STATE)).to_have_text("live")
    stack.freeze("simulator")
    try:
        expect(page.locator(STATE)).to_contain_text("stale, of ")
        expect(page.locator("#dayrange-NSE_EQ-1333 .was")).to_have_count(1)
        expect(page.locator("#dayrange-NSE_EQ-1333 i")).to_contain_text("stale")
        expect(page.locator(".depth .lot").first).to_be_hidden()
    finally:
        stack.thaw("simulator")
    expect(page.locator(STATE)).to_have_text("live")
    expect(page.locator("#dayrange-NSE_EQ-1333 .was")).to_have_count(0)


def test_a_page_whose_server_died_greys_book_and_place(visit: Callable[..., Page], stack: Stack) -> None:
    page = visit(PAGE)
    expect(page.locator(STATE)).to_have_text("live")
    stack.freeze("web")
    try:
        expect(page.locator(".lost")).to_have_count(1)
        expect(page.locator(STATE)).to_be_hidden()
        expect(page.locator("#hours i")).to_be_hidden()
        expect(page.locator("#dayrange-NSE_EQ-1333 .at")).to_have_css("visibility", "hidden")
    finally:
        stack.thaw("web")
    expect(page.locator(".lost")).to_have_count(0)


def test_without_scripts_nothing_is_live_and_everything_is_readable(visit: Callable[..., Page]) -> None:
    expect(visit(PAGE).locator(STATE)).to_have_text("live")  # so that the instrument has an order book
    plain = visit(PAGE, java_script_enabled=False)
    expect(plain.locator(".depth tbody tr")).to_have_count(5)
    expect(plain.locator(STATE)).to_have_css("font-size", "0px")  # the word "live"
    expect(plain.locator(".details")).to_contain_text("Average price")
    expect(plain.locator("#dayrange-NSE_EQ-1333")).to_contain_text("%")
    expect(plain.locator(".hours .on")).to_contain_text("Continuous 00:00–24:00 (on at ")
