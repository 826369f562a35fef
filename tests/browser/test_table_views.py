"""Filters, groups, orders and named views of a table in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.prices import moves

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"
PLAN = f"{SWING}?tab=recommendations"
SYMBOLS = "[...document.querySelectorAll('tbody th a')].map(each => each.textContent)"
COLUMN = """name => { const place = [...document.querySelectorAll('thead th a')].findIndex(each => each.id === `s-${name}`);
    return [...document.querySelectorAll('tbody tr:not(.group)')].map(row => row.children[place].textContent) }"""
NUMBERED = "texts => texts.map(text => Number(text.replace(/[^0-9.-]/g, '')))"


def numbers(page: Page, name: str) -> list[float]:
    texts = page.evaluate(COLUMN, name)
    return [float(number) for number in page.evaluate(NUMBERED, texts)]


def test_a_filter_is_counted_while_it_is_typed_and_taken_off_by_its_chip(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    total = page.locator("nav.setups a small").first.inner_text()
    page.type("#f", "score >")
    expect(page.locator("#count")).to_contain_text("score is compared with a number")
    page.type("#f", " 60")
    expect(page.locator("#count")).to_contain_text(f" of {total} rows")
    found = page.locator("#count").inner_text().split()[0]
    page.press("#f", "Enter")
    page.wait_for_url("**f=score%3E60")
    expect(page.locator(".pager span").first).to_contain_text(f"{found} matching")
    assert all(score > 60 for score in numbers(page, "score"))
    moves(page)
    page.click("#x-0")
    page.wait_for_url(f"**{SWING}")
    expect(page.locator(".pager span").first).to_contain_text(f"of {total}")
    assert page.complaints == []


def test_rows_that_a_price_chose_stay_and_move(visit: Callable[..., Page]) -> None:
    page = visit(f"{SWING}?f=chgp%3E-50&size=25")
    symbols = page.evaluate(SYMBOLS)
    assert len(symbols) == 25
    assert "&rows=" in (page.locator("#stream").get_attribute("hx-sse:connect") or "")
    moves(page)
    assert page.evaluate(SYMBOLS) == symbols
    assert page.complaints == []


def test_groups_stay_live_and_their_headings_in_sight(visit: Callable[..., Page]) -> None:
    page = visit(f"{PLAN}&group=sector,score", viewport={"width": 1366, "height": 700})
    headings = page.locator("tr.group th")
    assert headings.count() > 3
    assert page.locator("tbody tr:not(.group)").count() == 50
    expect(headings.first).to_contain_text("median score")
    texts = headings.all_inner_texts()
    moves(page)
    page.evaluate("document.querySelector('.board').scrollTop = 60")
    places = page.evaluate(
        """() => { const top = element => element.getBoundingClientRect();
            return [top(document.querySelector('thead th')).bottom, top(document.querySelector('tr.group th')).top] }"""
    )
    assert places[1] == pytest.approx(places[0], abs=3)
    assert headings.all_inner_texts() == texts
    assert page.locator("tbody").nth(1).locator("th[scope=rowgroup]").count() == 1
    assert page.complaints == []


def test_headings_of_groups_do_not_widen_a_phone(visit: Callable[..., Page]) -> None:
    for path in (f"{PLAN}&group=sector", f"{SWING}?group=sector", "/views"):
        page = visit(path, viewport={"width": 390, "height": 740}, has_touch=True, is_mobile=True)
        assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [390, 390]


def test_two_columns_order_the_rows(visit: Callable[..., Page]) -> None:
    page = visit(f"{PLAN}&sort=setup,-symbol&size=100", java_script_enabled=False)
    setups = page.locator("tbody .chip").all_inner_texts()
    symbols = page.locator("tbody th a").all_inner_texts()
    assert setups == sorted(setups, key=str.casefold)
    pairs = list(zip(setups, symbols, strict=True))
    for setup in set(setups):
        own = [symbol for each, symbol in pairs if each == setup]
        assert own == sorted(own, reverse=True)


def test_a_view_is_saved_and_opened_without_scripts(visit: Callable[..., Page]) -> None:
    page = visit(f"{SWING}?sort=-rsi&columns=ltp,rsi&group=trend&live=0", java_script_enabled=False)
    page.click("#views summary")
    page.fill("#view-name", 'Trends "<i>" first')
    page.click("#save-view")
    expect(page.locator("#views summary")).to_contain_text('View: Trends "<i>" first')
    page.goto(page.url.partition("?")[0])
    page.click("#views summary")
    page.click("#view-trends-i-first")
    assert page.url.endswith(f"{SWING}?sort=-rsi&group=trend&columns=ltp,rsi")
    page.goto(page.url.replace(page.url[page.url.index(SWING) :], "/views"))
    page.click("#v-trends-i-first summary")
    page.click("#d-trends-i-first")
    expect(page.locator("#main")).to_contain_text("No view is saved yet.")
