"""Live pages in a real browser in front of the real processes: moving prices, layout, an empty console."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.prices import moves

pytestmark = pytest.mark.browser
PAGES = ("/", "/screeners/swing", "/screeners/longterm", "/instruments/NSE_EQ/1333")
SWING = "/screeners/swing"


def text_of(key: str) -> str:
    return f"document.querySelector('#ltp-{key} > b').textContent"


@pytest.mark.parametrize("path", PAGES)
def test_prices_move_and_the_console_stays_empty(visit: Callable[..., Page], path: str) -> None:
    page = visit(path)
    for _ in range(3):
        moves(page)
    assert page.complaints == []
    assert page.locator("#stream").count() == 1
    expect(page.locator("#beat i")).to_be_hidden()
    expect(page.locator(".banner")).to_contain_text("Simulated prices")
    assert page.locator("[data-instrument-key][hx-ignore]").count() > 0
    assert page.locator("[data-instrument-key]:not([hx-ignore])").count() == 0, (
        "htmx looks for attributes in what is swapped here"
    )


def test_an_extension_that_arrives_late_still_gets_its_stream(visit: Callable[..., Page]) -> None:
    def late(page: Page) -> None:
        page.route("**/hx-sse.min.js", lambda route: (page.wait_for_timeout(700), route.continue_()))

    page = visit(SWING, before=late)
    page.wait_for_function("() => document.querySelector('#stream')._htmx?.sse")
    moves(page)


def test_a_move_flashes_in_its_colour_for_half_a_second_and_keeps_its_arrow(
    visit: Callable[..., Page],
) -> None:
    page = visit(SWING)
    seen = page.evaluate(
        """() => new Promise(resolve => {
            const seen = {};
            new MutationObserver(records => records.flatMap(r => [...r.addedNodes]).forEach(b => {
                if (b.nodeName !== 'B' || !['u', 'd'].includes(b.className) || seen[b.className]) return;
                const style = getComputedStyle(b);
                const arrow = getComputedStyle(b, '::before').content;
                const delay = b.getAnimations()[0].effect.getTiming().delay;
                seen[b.className] = {on: style.backgroundColor, colour: style.color, arrow: arrow, delay: delay,
                    nodes: b.childNodes.length, type: b.firstChild.nodeType};
                const began = document.timeline.currentTime, look = () => {
                    if (!b.isConnected) { delete seen[b.className]; return; }
                    if (style.backgroundColor !== seen[b.className].on) {
                        seen[b.className].off = style.backgroundColor;
                        seen[b.className].ms = document.timeline.currentTime - began;
                        if (seen.u?.off && seen.d?.off) resolve(seen);
                    } else requestAnimationFrame(look);
                };
                look();
            })).observe(document.querySelector('tbody'), {childList: true, subtree: true});
        })"""
    )
    for name, arrow in (("u", "▲"), ("d", "▼")):
        assert arrow in seen[name]["arrow"]
        assert seen[name]["off"] == "rgba(0, 0, 0, 0)"
        assert seen[name]["delay"] == 500
        assert seen[name]["ms"] >= 499, "a busy browser may paint late, never early"
        assert (seen[name]["nodes"], seen[name]["type"]) == (1, 3), "a price is one text node"
    assert seen["u"]["on"] != seen["d"]["on"]
    assert seen["u"]["colour"] != seen["d"]["colour"]


def test_nothing_flashes_for_a_visitor_who_prefers_reduced_motion(visit: Callable[..., Page]) -> None:
    page = visit(SWING, reduced_motion="reduce")
    page.wait_for_selector("b.u:not(.s)", state="attached")
    style = page.evaluate(
        """() => { const style = getComputedStyle(document.querySelector('b.u'));
            return [style.animationName, style.backgroundColor] }"""
    )
    assert style == ["none", "rgba(0, 0, 0, 0)"]


def test_a_filter_brings_rows_whose_prices_move(visit: Callable[..., Page]) -> None:
    page = visit(f"{SWING}?q=HDFCBANK")
    assert page.locator("#ltp-NSE_EQ-2885").count() == 0
    page.wait_for_function("() => document.querySelector('#stream')._htmx?.sse")
    streams: list[str] = []
    ended: list[str] = []
    page.on("request", lambda request: "/stream" in request.url and streams.append(request.url))
    page.on("requestfailed", lambda request: "/stream" in request.url and ended.append(request.url))
    page.fill("#q", "reliance")
    page.press("#q", "Enter")
    page.wait_for_selector("#ltp-NSE_EQ-2885")
    assert "q=reliance" in page.url
    moves(page, text_of("NSE_EQ-2885"))
    assert page.locator("#ltp-NSE_EQ-1333").count() == 0
    assert len(streams) == 1
    assert len(ended) == 1, "the stream of the rows that went is closed"
    assert page.evaluate("document.activeElement.id") == "q"
    assert page.complaints == []


def test_sorting_lives_in_the_address_and_back_returns(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    page.click("#s-symbol")
    page.wait_for_url("**sort=symbol")
    symbols = page.locator("tbody th a").all_inner_texts()
    assert len(symbols) == 50
    assert symbols == sorted(symbols)
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Symbol")
    page.click("#s-symbol")
    page.wait_for_url("**sort=-symbol")
    page.reload()
    assert page.locator("tbody th a").all_inner_texts() == symbols[::-1]
    page.go_back()
    page.wait_for_url("**sort=symbol")
    expect(page.locator("tbody th a").first).to_have_text(symbols[0])
    moves(page)
    assert page.locator("#stream").count() == 1


def test_a_value_that_is_not_accepted_is_explained_in_place(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    page.evaluate(
        """() => { document.querySelector('#size option').value = '7';
            document.querySelector('#size').selectedIndex = 0 }"""
    )
    page.click("#filter button")
    expect(page.locator("#main")).to_contain_text("size: '7' is not accepted")


def test_columns_are_chosen_in_one_form(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    page.click("#columns summary")
    page.uncheck("input[value=volume]")
    page.check("input[value=high]")
    page.click("#arrange")
    page.wait_for_url("**columns=**")
    page.wait_for_selector("#high-NSE_EQ-1333")
    expect(page.locator("#s-volume")).to_have_count(0)
    page.click("#columns summary")
    page.click("#set-phone")
    page.wait_for_url("**columns=ltp,chgp,score,rsi")
    expect(page.locator("thead th")).to_have_count(5)


def test_paused_prices_stand_still_until_resumed(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    page.click("#pause")
    page.wait_for_url("**live=0")
    expect(page.locator(".pause")).to_contain_text("Paused at")
    assert page.locator("#stream, #watchdog, #beat").count() == 0
    page.click("#pause")
    page.wait_for_selector("#stream", state="attached")
    moves(page)


def test_a_message_is_swapped_in_one_task_so_that_it_is_painted_once(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    tasks = page.evaluate(
        """() => new Promise(resolve => {
            const stream = document.querySelector('#stream'), channel = new MessageChannel(), seen = [];
            let tasks = null;
            channel.port1.onmessage = () => tasks++;
            stream.addEventListener('htmx:sse:before:message', () => {
                tasks = 0; channel.port2.postMessage(0); });
            stream.addEventListener('htmx:sse:after:message', event => {
                if (tasks !== null && event.detail.message.data.includes('"ltp-')) seen.push(tasks);
                if (seen.length === 5) resolve(seen);
            });
        })"""
    )
    assert tasks == [0] * 5


def test_a_row_out_of_sight_is_skipped_and_current_once_it_comes_into_sight(
    visit: Callable[..., Page],
) -> None:
    page = visit(SWING, viewport={"width": 1280, "height": 300})
    drawn = "(row) => row.querySelector('.c-ltp b').checkVisibility({contentVisibilityAuto: true})"
    first, last = page.locator("tbody tr").first, page.locator("tbody tr").last
    assert [first.evaluate(drawn), last.evaluate(drawn)] == [True, False]
    price = f"document.querySelector('#{last.locator('[id^=ltp-]').get_attribute('id')} > b').textContent"
    moves(page, price)
    page.evaluate("document.querySelector('.board').scrollTop = 1e6")
    page.wait_for_function(f"() => ({drawn})([...document.querySelectorAll('tbody tr')].at(-1))")
    moves(page, price)


def test_columns_keep_their_places_while_rows_come_into_sight(visit: Callable[..., Page]) -> None:
    page = visit(f"{SWING}?live=0&columns=ltp,chg,chgp,volume", viewport={"width": 1280, "height": 300})
    widths = "[...document.querySelectorAll('thead th')].map(th => th.getBoundingClientRect().width)"
    before = page.evaluate(widths)
    assert len(before) > 4
    for top in (400, 800, 1e6, 0):
        page.evaluate("(top) => { document.querySelector('.board').scrollTop = top }", top)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(widths) == before


def test_no_digit_of_a_long_price_is_cut_off(visit: Callable[..., Page]) -> None:
    page = visit(f"{SWING}?live=0")
    room = page.evaluate(
        """() => { const price = document.querySelector('.c-ltp b'), cell = price.parentElement;
            price.className = 'u'; price.textContent = '₹12,34,56,78,901.25';
            const inner = price.getBoundingClientRect(), outer = cell.getBoundingClientRect();
            return [inner.left - outer.left, outer.right - inner.right]; }"""
    )
    assert min(room) >= 0


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/instruments?q=bank",
        "/nowhere",
        f"{SWING}?columns=ltp,chg,chgp,volume,open,high,low,prev,sector",
        f"{SWING}?tab=recommendations&columns=setup,why",
    ],
)
def test_a_phone_needs_no_sideways_scrolling_of_the_page(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]


def test_the_symbol_stays_in_sight_while_a_phone_scrolls_the_table(visit: Callable[..., Page]) -> None:
    page = visit(SWING, viewport={"width": 360, "height": 740})
    symbol = page.locator("tbody th").first
    box = symbol.bounding_box()
    page.evaluate("document.querySelector('.board').scrollLeft = 200")
    assert page.evaluate("document.querySelector('.board').scrollLeft") == 200
    assert symbol.bounding_box() == box


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "selectors"),
    [
        (SWING, ["body", ".meta", ".banner", "tbody .g", "tbody .l", ".c-ltp i", ".setups a", ".tabs a"]),
        (f"{SWING}?tab=recommendations", [".chip.ready", ".chip.wait", ".chip.not", "thead a"]),
    ],
)
def test_text_stands_out_from_its_ground_in_either_scheme(
    visit: Callable[..., Page], path: str, selectors: list[str], scheme: Any
) -> None:
    page = visit(path, color_scheme=scheme)
    colours = page.evaluate(
        """selectors => selectors.map(selector => {
            const element = document.querySelector(selector), colourOf = each => getComputedStyle(each).backgroundColor;
            let ground = element;
            while (colourOf(ground) === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
            return [selector, getComputedStyle(element).color, colourOf(ground)];
        })""",
        selectors,
    )
    for selector, text, ground in colours:
        assert contrast(text, ground) >= 4.5, selector


def contrast(first: str, second: str) -> float:
    """Source: WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)
