"""Every kind of page under axe-core's rules, by keyboard, on a small screen and without colours.

The debugger runs axe: the content security policy does not bind it, so the pages are those that visitors get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import every_field
from tests.path.stack import Stack, running, status
from tests.ports import free_port

pytestmark = pytest.mark.browser
AXE = (Path(__file__).parent / "vendor" / "axe-core@4.14.1" / "axe.min.js").read_text(encoding="utf-8")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")  # all other rules find the same in both colour schemes
LAPTOP = {"width": 1366, "height": 768}
# The least width at which WCAG requires a page to be readable without scrolling sideways.
PHONE = {"width": 320, "height": 740}
SWING = "/screeners/swing"
PLAN = f"{SWING}?tab=recommendations"
DETAIL = f"{SWING}/{every_field.SHARES[1].key.replace(':', '/')}"
CHART = f"/instruments/{every_field.SHARES[1].key.replace(':', '/')}"
# Each with a selector of the element that it is here for.
PAGES = {
    "/screeners/steady": "progress",
    "/": "#h-indices",
    "/screeners": ".screens b.w",
    SWING: ".spark",
    f"{SWING}?columns=ltp,spark_day": ".c-spark_day span",
    f"{PLAN}&columns=ltp,range_day,range_52w": ".c-range_day .entry",
    f"{PLAN}&group=setup,score&f=ltp%3E1&sort=-r_now,symbol": "tr.group th",
    "/views": ".found",
    PLAN: ".chip.wait",
    f"{SWING}?q=nobody&live=0&run=1": "td.none",
    "/screeners/longterm": ".c-ltp b",
    "/screeners/longterm?tab=recommendations": ".c-to_entry",
    DETAIL: ".candles text.entry",
    f"{DETAIL}?timeframe=1w&bollinger=1&supertrend=1": ".candles .rose",
    "/screeners/custom": "#c-new",
    "/screeners/custom?c=close+%3E+emaa50&c=rsi14&min_price=x": "#c1[aria-invalid]",
    "/screeners/custom?c=close+%3E+ema50": "tbody th a",
    "/screeners/falling": ".refusal",
    f"{SWING}/runs": ".chip",
    f"{SWING}/changes": "td b.g",
    "/instruments?q=bank": ".found a",
    CHART: ".board .chip",
    f"{CHART}?timeframe=1m&ema=20,50&vwap=1": ".candles .mark",
    "/alerts": "#firings .feed-down",
    "/alerts/1": "#until",
    "/alerts/1/why": "td b.g",
    "/alerts/2": "#unmute",
    "/alerts/new?key=NSE_EQ:1333&level=5000": "#distance",
    "/alerts/new?key=NOBODY&level=x&check=1": "#form-error",
    "/candles": "#jobs progress",
    "/candles/everything": "tbody th",
    "/candles/audit": "tbody th a",
    "/candles/audit?day=2026-11-20": "#h-instruments",
    "/alerts/channels": "#channels b.w",
    "/alerts/channels?change=1": "#change",
    "/watchlists?deleted=old": "#undo",
    "/watchlists/every": "tr.section",
    "/watchlists/every?tab=recommendations": ".flag",
    "/watchlists/every/edit": ".heading",
    "/watchlists/every/find?q=bank": "[id^=add-]",
    "/watchlists/every/paste": "#text",
    "/watchlists/add?key=NSE_EQ:1333": "#to-every",
    "/status": "#h-process",
    "/subscriptions": "tbody th a",
    "/subscriptions/NSE_EQ/1333": "#h-pin",
    "/help": "#h-keys",
    "/nowhere": "h1",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A site of its own, with runs that have every optional field; elsewhere they would be the newest runs of
    other tests.
    """
    with running(tmp_path_factory.mktemp("accessible"), free_port, WEB_CONCURRENCY="1") as stack:
        every_field.fill(_database_of(stack))
        stack.until(lambda: status(f"{stack.url}/screeners/steady") == 200, "the stored runs")
        yield stack


def _database_of(stack: Stack) -> str:
    return f"sqlite:///{stack.folder / 'ltp.sqlite3'}"


def judge(page: Page, rules: tuple[str, ...] = RULES) -> dict[str, list[str]]:
    """Return the violations by rule. `rules`: names of rules or of groups of them."""
    found = page.evaluate(
        "options => axe.run(document, options)", {"runOnly": rules, "resultTypes": ["violations"]}
    )
    tried = {rule["id"] for outcome in ("violations", "passes", "incomplete") for rule in found[outcome]}
    assert tried >= ({"color-contrast", "target-size", "region"} if rules == RULES else {"color-contrast"}), (
        "axe saw no page"
    )
    return {
        rule["id"]: [f"{node['target']}: {node['failureSummary']}" for node in rule["nodes"]]
        for rule in found["violations"]
    }


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    """One tab for all pages: opening a new one takes as long as a check."""
    with browser.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("path", PAGES)
def test_no_rule_is_violated_and_a_phone_reads_without_sideways_scrolling(
    tab: Page, stack: Stack, path: str
) -> None:
    if path in ("/screeners/steady", "/candles"):
        every_field.renew_heartbeat(_database_of(stack))
    tab.goto(f"{stack.url}{path}")
    expect(tab.locator(PAGES[path]).first).to_be_visible()
    tab.evaluate(AXE)
    for size in (LAPTOP, PHONE):
        tab.set_viewport_size(size)
        for scheme, rules in (("light", RULES), ("dark", COLOURS)):
            tab.emulate_media(color_scheme=scheme)
            assert judge(tab, rules) == {}, f"{path}, {size['width']} wide, {scheme}"
    assert tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_phone_shows_the_newest_bars_of_a_chart_beside_its_prices(tab: Page, stack: Stack) -> None:
    tab.set_viewport_size(PHONE)
    tab.goto(f"{stack.url}{CHART}?timeframe=1m")
    figure, last = tab.locator(".candles").bounding_box(), tab.locator(".columns path").last.bounding_box()
    assert figure
    assert last
    right = figure["x"] + figure["width"]
    prices = tab.locator(".axis").bounding_box()
    assert prices
    assert prices["x"] + prices["width"] <= right
    assert figure["x"] < last["x"] < prices["x"] + 1
    tab.locator("#bars-table").click()
    tab.evaluate(AXE)
    assert judge(tab) == {}


@pytest.mark.parametrize("path", [SWING, "/screeners/custom?c=close+%3E+ema50", "/screeners/falling"])
def test_open_details_violate_no_rule(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, viewport=LAPTOP)
    page.evaluate(AXE)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert judge(page) == {}


def test_without_scripts_the_reload_can_be_stopped(visit: Callable[..., Page]) -> None:
    """axe needs scripts, and would refuse any page that reloads itself; it may, because a link ends it."""
    page = visit(SWING, java_script_enabled=False)
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(1)
    page.click("#pause")
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)


def test_axe_finds_planted_violations(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    page.evaluate(AXE)
    page.evaluate(
        """() => {
            document.querySelector('#q').removeAttribute('aria-label');
            document.querySelector('label[for=q]').remove();
            document.querySelector('.title .meta').style.color = '#bbb';
            document.querySelector('#status').role = 'nothing'; }"""
    )
    assert set(judge(page)) >= {"color-contrast", "aria-roles"}


# The focused element's name, whether its outline shows, and whether any part of it is visible.
FOCUSED = """() => {
    const at = document.activeElement, box = at.getBoundingClientRect(), style = getComputedStyle(at);
    const y = box.top + Math.min(box.height / 2, 10);
    const hit = part => { const top = document.elementFromPoint(box.left + box.width * part, y);
        return top === at || at.contains(top); };
    const outlined = style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2;
    return [at.id || at.className || at.tagName, outlined,
        [.05, .2, .35, .5, .65, .8, .95].some(hit)]; }"""


def walk(page: Page, key: str, last: str) -> list[str]:
    """Press a key until `last` has the focus; return the names on the way. Each must be visible."""
    passed: list[str] = []
    while not passed or passed[-1] != last:
        page.keyboard.press(key)
        name, outlined, seen = page.evaluate(FOCUSED)
        assert (outlined, seen) == (True, True), f"{key} after {passed[-3:]}: {name}"
        assert len(passed) < 150, passed
        passed.append(name)
    return passed


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_the_keyboard_reaches_everything_in_the_order_of_the_page_with_a_visible_focus(
    visit: Callable[..., Page], size: Any
) -> None:
    page = visit(PLAN, viewport=size)
    links = page.locator("tbody th a").evaluate_all("links => links.map(link => link.id)")
    heads = page.locator("thead a").evaluate_all("links => links.map(link => link.id)")
    passed = walk(page, "Tab", links[-1])
    before = [
        "skip",
        "n-home",
        "n-screeners",
        "n-swing",
        "n-longterm",
        "n-custom",
        "n-alerts",
        "n-history",
        "find",
        "n-status",
        *(["n-subscriptions"] if size["width"] > 416 else []),  # a phone has no room for it
        "pause",
        "run-now",
    ]
    around = ["t-candidates", "t-recommendations", "f-0", "f-1", "q", "sector", "size", "csv", "json"]
    expected = [*before, *around, *heads, *links]
    assert [name for name in passed if name in expected] == expected
    assert passed[passed.index(heads[0]) - 1].startswith("board"), (
        "the table's box can be scrolled before its links come"
    )


def test_on_the_way_back_nothing_hides_under_the_head_or_the_first_column(visit: Callable[..., Page]) -> None:
    page = visit(PLAN, viewport={"width": 320, "height": 230})
    page.locator("tbody th a").last.focus()
    page.evaluate("document.querySelector('.board').scrollTo(300, 1e6)")
    walk(page, "Shift+Tab", page.locator("tbody th a").first.get_attribute("id") or "")
    assert page.evaluate("document.querySelector('.board').scrollLeft") == 300, (
        "symbols are in sight and need no scrolling"
    )
    page.evaluate("document.querySelector('.board').scrollTo(1e6, 1e6)")
    walk(page, "Shift+Tab", "s-symbol")


def test_a_skip_link_leads_past_the_head(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#main').contains(document.activeElement)")


def test_a_table_is_scrolled_by_keys(visit: Callable[..., Page]) -> None:
    page = visit(PLAN, viewport={"width": 320, "height": 230})
    page.locator(".board").focus()
    for key, side in (("ArrowRight", "scrollLeft"), ("ArrowDown", "scrollTop")):
        page.keyboard.press(key)
        page.wait_for_function(f"() => document.querySelector('.board').{side} > 0")


def test_links_keep_the_focus_where_the_page_is_changed_in_place(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    for link, lasting in (
        ("#s-symbol", "th[aria-sort=ascending] #s-symbol"),
        ("#t-recommendations", "[aria-current=page]"),
    ):
        page.locator(link).focus()
        page.keyboard.press("Enter")
        expect(page.locator(f"{lasting}:focus")).to_have_count(1)
    page.locator("#columns summary").focus()
    page.keyboard.press("Space")
    expect(page.locator("#columns")).to_have_attribute("open", "")


@pytest.mark.parametrize("path", [SWING, PLAN, DETAIL])
def test_no_colour_is_the_only_sign(visit: Callable[..., Page], path: str) -> None:
    page = visit(path)
    signs = page.locator("b.g, b.l").evaluate_all(
        "all => all.map(each => [each.className, each.textContent[0]])"
    )
    assert signs
    assert all(sign in ("+✓u" if name == "g" else "-✗sd") for name, sign in signs), signs
    page.wait_for_selector("b.u, b.d", state="attached")
    arrows = page.locator("b.u, b.d").evaluate_all(
        "all => all.map(each => getComputedStyle(each, '::before').content[1])"
    )
    assert arrows
    assert set(arrows) <= {"▲", "▼"}


def test_the_current_link_is_marked_without_colours_too(visit: Callable[..., Page]) -> None:
    page = visit(PLAN, forced_colors="active")
    edge = "each => getComputedStyle(each).borderBottomColor"
    for nav in ("header nav", ".tabs", ".setups"):
        here = page.locator(f"{nav} a[aria-current]").evaluate(edge)
        others = page.locator(f"{nav} a:not([aria-current])").evaluate_all(f"links => links.map({edge})")
        assert others
        assert here not in others, nav
