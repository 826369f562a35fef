"""Facts and plans of a screener in a real browser: what moves with the price, what is said in words, what needs no scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"
PLAN = f"{SWING}?tab=recommendations"
STATES = {
    "waiting", "in entry zone", "entry touched", "stop hit", "target hit", "invalidated before entry", "missed",
    "stale plan", "stale", "–",
}  # fmt: skip
DISTANCES = "[...document.querySelectorAll('[id^=to_entry-]')].map(cell => cell.textContent).join()"
# What a row's price and entry make the distance, and what the row says, read at one moment.
ROW = """() => { const of = name => document.querySelector(`#${name}-NSE_EQ-1333`);
    const number = text => Number(text.replace('₹', '').replaceAll(',', '').replace('−', '-').replace('%', '').replace(' R', ''));
    const row = of('ltp').closest('tr'), cells = [...row.children].map(cell => cell.textContent);
    const heads = [...document.querySelectorAll('thead th a')].map(head => head.id);
    return [number(of('ltp').querySelector('b').textContent), number(cells[heads.indexOf('s-entry')]),
        number(cells[heads.indexOf('s-stop')]), number(of('to_entry').textContent), number(of('r_now').textContent)]; }"""


def test_distances_move_with_the_price_and_agree_with_it(visit: Callable[..., Page]) -> None:
    page = visit(PLAN)
    for _ in range(3):
        page.wait_for_function(f"(before) => {DISTANCES} !== before", arg=page.evaluate(DISTANCES))
        ltp, entry, stop, to_entry, r_now = page.evaluate(ROW)
        assert to_entry == pytest.approx(100 * (entry - ltp) / ltp, abs=0.006)
        assert r_now == pytest.approx((ltp - entry) / (entry - stop), abs=0.006)
    assert page.complaints == []
    assert page.locator("#stream").count() == 1


def test_where_the_price_stands_in_the_plan_is_said_in_words(visit: Callable[..., Page]) -> None:
    page = visit(PLAN)
    states = page.locator("[id^=state-]").all_inner_texts()
    assert len(states) == 50
    assert set(states) <= STATES
    assert len(set(states) - {"–"}) >= 1
    expect(page.locator(".chip.ready").first).to_have_text("READY")
    expect(page.locator(".chip.wait").first).to_contain_text("WAIT")


def test_tabs_and_setups_are_links_that_bring_their_own_stream(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    assert page.locator("#s-setup").count() == 0
    page.click("#t-recommendations")
    page.wait_for_url("**tab=recommendations")
    assert page.locator("#s-score").count() == 0
    page.click("text=Ready")
    page.wait_for_url("**setup=READY")
    assert set(page.locator("tbody .chip").all_inner_texts()) == {"READY"}
    page.wait_for_function(f"(before) => {DISTANCES} !== before", arg=page.evaluate(DISTANCES))
    assert page.locator("#stream").count() == 1
    assert page.complaints == []


def test_the_detail_of_a_row_is_live(visit: Callable[..., Page]) -> None:
    page = visit(PLAN)
    page.click("#i-NSE_EQ-1333")
    page.wait_for_url("**/screeners/swing/NSE_EQ/1333")
    text = "document.querySelector('#to_stop-NSE_EQ-1333').textContent"
    page.wait_for_function(f"(before) => {text} !== before", arg=page.evaluate(text))
    expect(page.locator("#h-plan .chip")).to_be_visible()
    assert page.complaints == []


def test_without_scripts_the_tabs_the_filter_and_the_files_are_there(visit: Callable[..., Page]) -> None:
    page = visit(SWING, java_script_enabled=False)
    page.click("#t-recommendations")
    page.click("text=Waiting")
    assert page.url.endswith("?tab=recommendations&setup=waiting")
    assert all(text.startswith("WAIT ") for text in page.locator("tbody .chip").all_inner_texts())
    page.click("#s-to_entry")
    symbols = page.locator("tbody th a").all_inner_texts()
    assert len(symbols) > 10
    answer = page.request.get(page.url.replace("/screeners/swing?", "/screeners/swing.csv?"))
    rows = list(csv.DictReader(io.StringIO(answer.text())))
    assert {row["symbol"] for row in rows} == set(symbols)
    assert all(row["setup"].startswith("WAIT_") and float(row["ltp"]) > 0 for row in rows)


@pytest.mark.parametrize("path", [PLAN, f"{SWING}/NSE_EQ/1333"])
def test_a_phone_scrolls_the_table_and_not_the_page(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]


@pytest.mark.parametrize("width", [360, 1366, 1920])
def test_columns_stay_where_they_are_when_a_row_gets_another_state(visit: Callable[..., Page], width: int) -> None:
    page = visit(f"{PLAN}&live=0", viewport={"width": width, "height": 768})
    places = """[...document.querySelectorAll('thead th')].map(head => { const box = head.getBoundingClientRect();
        return [box.x, box.width] })"""
    page.evaluate("document.querySelectorAll('[id^=state-]').forEach(cell => { cell.textContent = '–' })")
    before = page.evaluate(places)
    for said in sorted(STATES | {"below invalidation"}):
        page.evaluate("said => { document.querySelectorAll('[id^=state-]')[7].innerHTML = `<b class=w>${said}</b>` }", said)
        assert page.evaluate(places) == before, said


def test_a_laptop_needs_no_sideways_scrolling_of_the_table(visit: Callable[..., Page]) -> None:
    for path in (SWING, PLAN):
        page = visit(f"{path}{'&' if '?' in path else '?'}live=0", viewport={"width": 1366, "height": 768})
        board = page.locator(".board")
        assert board.evaluate("board => board.scrollWidth") == board.evaluate("board => board.clientWidth")
