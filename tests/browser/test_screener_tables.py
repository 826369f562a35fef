"""Tables of facts and plans in a real browser: live distances, and layout on three screens."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.prices import moves

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"
PLAN = f"{SWING}?tab=recommendations"
STATES = {
    "waiting", "in entry zone", "entry touched", "stop hit", "target hit", "invalidated before entry",
    "missed", "stale plan", "stale", "–",
}  # fmt: skip
DISTANCES = "[...document.querySelectorAll('[id^=to_entry-]')].map(cell => cell.textContent).join()"
# Price, entry and stop of a row and the distances that it shows, all read at one moment.
ROW = """() => { const of = name => document.querySelector(`#${name}-NSE_EQ-1333`);
    const number = text => Number(text.replace('₹', '').replaceAll(',', '').replace('%', ''));
    const row = of('ltp').closest('tr'), cells = [...row.children].map(cell => cell.textContent);
    const heads = [...document.querySelectorAll('thead th a')].map(head => head.id);
    return [of('ltp').querySelector('b').textContent, cells[heads.indexOf('s-entry')],
        cells[heads.indexOf('s-stop')], of('to_entry').textContent, of('r_now').textContent].map(number); }"""


def test_distances_move_with_the_price_and_agree_with_it(visit: Callable[..., Page]) -> None:
    page = visit(PLAN)
    for _ in range(3):
        moves(page, DISTANCES)
        ltp, entry, stop, to_entry, r_now = page.evaluate(ROW)
        assert to_entry == pytest.approx(100 * (entry - ltp) / ltp, abs=0.006)
        assert r_now == pytest.approx((ltp - entry) / (entry - stop), abs=0.006)
    assert page.complaints == []
    assert page.locator("#stream").count() == 1


def test_the_state_of_each_plan_is_a_word(visit: Callable[..., Page]) -> None:
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
    moves(page, DISTANCES)
    assert page.locator("#stream").count() == 1
    assert page.complaints == []


def test_the_detail_of_a_row_is_live(visit: Callable[..., Page]) -> None:
    page = visit(PLAN)
    page.click("#i-NSE_EQ-1333")
    page.wait_for_url("**/screeners/swing/NSE_EQ/1333?tab=recommendations")
    text = "document.querySelector('#to_stop-NSE_EQ-1333').textContent"
    moves(page, text)
    expect(page.locator("#h-plan .chip")).to_be_visible()
    assert page.complaints == []


def test_without_scripts_the_tabs_the_filter_and_the_files_are_there(visit: Callable[..., Page]) -> None:
    page = visit(SWING, java_script_enabled=False)
    page.click("#t-recommendations")
    page.click("text=Waiting")
    assert page.url.endswith("?tab=recommendations&setup=waiting")
    setups = page.locator("tbody .chip").all_inner_texts()
    assert {text.split()[0] for text in setups} == {"WAIT"}
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
def test_columns_stay_where_they_are_when_a_row_gets_another_state(
    visit: Callable[..., Page], width: int
) -> None:
    page = visit(f"{PLAN}&live=0", viewport={"width": width, "height": 768})
    places = """[...document.querySelectorAll('thead th')].map(head => {
        const box = head.getBoundingClientRect(); return [box.x, box.width] })"""
    page.evaluate("document.querySelectorAll('[id^=state-]').forEach(cell => { cell.textContent = '–' })")
    before = page.evaluate(places)
    for state in sorted(STATES | {"below invalidation"}):
        page.evaluate(
            "state => { document.querySelectorAll('[id^=state-]')[7].innerHTML = `<b class=w>${state}</b>` }",
            state,
        )
        assert page.evaluate(places) == before, state


def test_a_laptop_needs_no_sideways_scrolling_of_the_table(visit: Callable[..., Page]) -> None:
    for path in (SWING, PLAN):
        page = visit(f"{path}{'&' if '?' in path else '?'}live=0", viewport={"width": 1366, "height": 768})
        board = page.locator(".board")
        assert board.evaluate("board => board.scrollWidth") == board.evaluate("board => board.clientWidth")


VISIBLE = """() => { const board = document.querySelector('.board').getBoundingClientRect();
    return [...document.querySelectorAll('tbody tr')].filter(row => { const box = row.getBoundingClientRect();
        return box.top >= board.top && box.bottom <= Math.min(board.bottom, innerHeight); }).length }"""


@pytest.mark.parametrize(
    "path", [SWING, PLAN, "/screeners/longterm", "/screeners/longterm?tab=recommendations"]
)
def test_a_laptop_shows_twenty_rows_and_needs_no_scrolling_of_the_page(
    visit: Callable[..., Page], path: str
) -> None:
    page = visit(path, viewport={"width": 1366, "height": 768})
    assert page.evaluate(VISIBLE) >= 20
    assert page.evaluate("document.documentElement.scrollHeight") <= 768


def test_a_wide_screen_is_used_to_its_edges(visit: Callable[..., Page]) -> None:
    page = visit(PLAN, viewport={"width": 1920, "height": 1080})
    box = page.locator(".board").bounding_box()
    assert box
    assert (box["x"], box["width"]) == pytest.approx((18.75, 1882.5), abs=1)
    assert page.locator(".board").evaluate("board => board.scrollWidth <= board.clientWidth")


def test_a_phone_shows_price_state_and_distances_without_scrolling_sideways(
    visit: Callable[..., Page],
) -> None:
    page = visit(PLAN, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    for name in ("ltp", "state", "to_entry", "to_stop"):
        for part in (
            f"thead th:has(#s-{name})",
            f"tbody tr:first-child .c-{name}",
            f"tbody tr:nth-child(5) .c-{name}",
        ):
            box = page.locator(part).bounding_box()
            assert box, part
            assert box["x"] >= 0, part
            assert box["x"] + box["width"] <= 390, part
    lefts = page.locator("tbody tr:first-child > *").evaluate_all(
        "cells => cells.map(cell => cell.getBoundingClientRect().x)"
    )
    assert len(set(lefts)) == len(lefts), "nothing lies over anything else"
    top = page.locator(".board").bounding_box()
    assert top
    assert top["y"] < 360
    page.locator(".board").evaluate("board => { board.scrollTop = 300 }")
    head = page.locator("#s-ltp").bounding_box()
    assert head
    assert head["y"] == pytest.approx(top["y"], abs=24), "the head stays in sight"


@pytest.mark.parametrize("width", [390, 1366, 1920])
@pytest.mark.parametrize("path", [SWING, PLAN])
def test_heads_stand_over_their_numbers(visit: Callable[..., Page], path: str, width: int) -> None:
    page = visit(f"{path}{'&' if '?' in path else '?'}live=0", viewport={"width": width, "height": 768})
    off = page.evaluate(
        """() => [...document.querySelectorAll('thead th:not(.t)')].slice(1).map(head => {
            const index = [...head.parentElement.children].indexOf(head);
            const right = node => { const range = document.createRange(); range.selectNodeContents(node);
                return range.getBoundingClientRect().right };
            const cell = document.querySelectorAll('tbody tr')[2].children[index];
            const number = cell.querySelector('b') ?? cell;
            return [head.textContent, right(head.querySelector('a')) - right(number)]; })"""
    )
    assert len(off) > 3
    wrong = [pair for pair in off if abs(pair[1]) > 8 and not pair[0].startswith("60")]
    assert wrong == []


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_columns_stay_where_they_are_when_distances_become_dashes(
    visit: Callable[..., Page], width: int
) -> None:
    page = visit(f"{PLAN}&live=0", viewport={"width": width, "height": 768})
    places = (
        "[...document.querySelectorAll('thead th')].map(head => Math.round(head.getBoundingClientRect().x))"
    )
    before = page.evaluate(places)
    assert page.locator("[id^=to_], [id^=r_now]").count() >= 100
    page.evaluate(
        "document.querySelectorAll('[id^=to_], [id^=r_now]').forEach(cell => { cell.textContent = '–' })"
    )
    assert page.evaluate(places) == before
    page.evaluate("document.querySelectorAll('.c-ltp i').forEach(state => { state.textContent = 'quiet' })")
    assert page.evaluate(places) == before
    page.evaluate(
        """document.querySelectorAll('.c-ltp i').forEach(state => {
            state.outerHTML = '<i class="n">closed 7 Dec</i>' })"""
    )
    assert page.evaluate(places) == before


@pytest.mark.parametrize("width", [390, 1366])
def test_a_date_in_the_status_line_is_not_repeated_in_every_row(
    visit: Callable[..., Page], width: int
) -> None:
    page = visit(f"{PLAN}&live=0", viewport={"width": width, "height": 768})
    seen = page.evaluate(
        """() => { const states = [...document.querySelectorAll('.c-ltp i')].slice(0, 2);
            const [named, other] = states.map((state, at) => {
                state.outerHTML = `<i class="${'n-'[at]}">closed ${7 + at} Dec</i>`;
                return document.querySelectorAll('.c-ltp i')[at] });
            return [named, other].map(state => {
                const text = state.firstChild, range = document.createRange();
                range.setStart(text, 7); range.setEnd(text, text.length);
                const box = state.getBoundingClientRect(), date = range.getBoundingClientRect();
                return date.top < box.bottom - 2 && date.bottom > box.top + 2; }); }"""
    )
    assert seen == [False, True]


def test_a_phone_shows_the_labels_of_capital_and_risk(visit: Callable[..., Page]) -> None:
    page = visit(PLAN, viewport={"width": 390, "height": 844})
    expect(page.get_by_text("Capital ₹")).to_be_visible()
    expect(page.get_by_text("Risk of a trade ₹")).to_be_visible()


def test_copied_rows_have_numbers_and_states_in_cells_of_their_own(visit: Callable[..., Page]) -> None:
    page = visit(
        f"{PLAN}&live=0&columns=ltp,chg,chgp,state,entry,to_entry,to_stop,r_now&size=25",
        viewport={"width": 1366, "height": 768},
    )
    copied = page.evaluate(
        """() => { const rows = document.querySelectorAll('tbody tr');
            const range = document.createRange(), selection = getSelection();
            range.setStartBefore(rows[0]); range.setEndAfter(rows[24]);
            selection.removeAllRanges(); selection.addRange(range); return selection.toString(); }"""
    )
    lines = [line.split("\t") for line in copied.splitlines() if line.strip()]
    assert len(lines) == 25
    assert {len(line) for line in lines} == {9}
    for _, ltp, chg, chgp, _, entry, *distances in lines:
        for text in (
            ltp.removeprefix("₹"),
            chg,
            chgp.removesuffix("%"),
            entry,
            *(each.rstrip("%") for each in distances),
        ):
            float(text.replace(",", ""))
    assert any(line[6].startswith("-") for line in lines), "a minus sign is one to a spreadsheet"
    assert "−" not in copied
