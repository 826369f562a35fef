"""Links into a table and back: the row or column that a link leads to is in sight."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"
PLAN = f"{SWING}?tab=recommendations"


def in_sight(page: Page, selector: str) -> bool:
    """Whether the centre of an element is visible, not covered by the table's head or its first column."""
    return bool(
        page.locator(selector).evaluate(
            """element => { const box = element.getBoundingClientRect();
                const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
                return top === element || element.contains(top); }"""
        )
    )


def test_back_leads_to_the_row_that_was_opened(visit: Callable[..., Page]) -> None:
    page = visit(PLAN, viewport={"width": 1366, "height": 500})
    row = page.locator("tbody th a").nth(43)
    name, symbol = row.get_attribute("id"), row.inner_text()
    row.click()
    expect(page.locator("h1")).to_contain_text(symbol)
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.go_back()
    expect(page.locator(f"tbody #{name}")).to_be_visible()
    page.wait_for_function("id => document.activeElement.id === id", arg=name)
    assert in_sight(page, f"#{name}")


def test_a_rows_page_knows_its_neighbours_and_leads_back_to_it(visit: Callable[..., Page]) -> None:
    page = visit(f"{PLAN}&setup=READY&sort=-symbol&size=25", viewport={"width": 1366, "height": 300})
    links = page.locator("tbody th a")
    symbols, ids = links.all_inner_texts(), links.evaluate_all("links => links.map(link => link.id)")
    links.nth(8).click()
    expect(page.locator(".around span").first).to_have_text(f"9 of {len(symbols)}")
    expect(page.locator("[rel=prev]")).to_have_text(f"‹ {symbols[7]}")
    page.click("[rel=next]")
    expect(page.locator("h1")).to_contain_text(symbols[9])
    expect(page.locator("[rel=next]")).to_have_text(f"{symbols[10]} ›")
    page.click("#b-rows")
    page.wait_for_url(f"**{PLAN}&setup=READY&sort=-symbol&size=25#{ids[9]}")
    page.wait_for_function(
        "id => document.getElementById(id)?.getBoundingClientRect().top < 300",
        arg=ids[9],
    )
    assert in_sight(page, f"#{ids[9]}")
    page.reload()
    page.wait_for_selector("tbody tr")
    assert in_sight(page, f"#{ids[9]}")


def test_the_first_row_of_a_sorted_table_is_not_under_its_head(visit: Callable[..., Page]) -> None:
    for path in (SWING, f"{PLAN}&sort=-risk"):
        page = visit(path, viewport={"width": 1366, "height": 768})
        head, row = (
            page.locator("thead th").first.bounding_box(),
            page.locator("tbody tr").first.bounding_box(),
        )
        assert head is not None
        assert row is not None
        assert row["y"] >= head["y"] + head["height"] - 1


@pytest.mark.parametrize("boosted", [True, False])
def test_the_sorted_column_is_in_sight(visit: Callable[..., Page], boosted: bool) -> None:
    columns = "ltp,chg,chgp,volume,open,high,low,prev,entry,stop,target,to_entry,to_stop,to_target,r_now,r"
    page = visit(
        f"{PLAN}&columns={columns}{'' if boosted else '&sort=-r'}", viewport={"width": 800, "height": 700}
    )
    if boosted:
        page.locator("#s-r").click()
        page.wait_for_url("**sort=-r**")
    expect(page.locator("th[aria-sort=descending] #s-r")).to_be_visible()
    page.wait_for_function("document.querySelector('.board').scrollLeft > 100")
    assert in_sight(page, "#s-r")


def test_a_skip_link_leads_to_the_first_row(visit: Callable[..., Page]) -> None:
    page = visit(PLAN)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#skip-table")).to_be_focused()
    expect(page.locator("#skip-table")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == page.locator("tbody th a").first.get_attribute("id")
