"""Watchlists in two browsers at once, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import Line
from ltp.db import instruments
from ltp.db.engine import open_engine
from ltp.db.watchlists import lists, store
from tests.path.stack import Stack

pytestmark = pytest.mark.browser
HDFC, TCS, INFY = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:1594"
HOSTILE = '<img src=x onerror="document.title=1">\u202e&quot;'


@pytest.fixture(scope="module")
def engine(stack: Stack) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{stack.folder / 'ltp.sqlite3'}")
    yield engine
    engine.dispose()


def made(engine: Engine, title: str, keys: list[str]) -> str:
    return lists.create(engine, title, [Line(key) for key in keys], source="test").slug


def errors(page: Page) -> list[str]:
    """Return the complaints of a page but for the statuses of refusals."""
    return [text for text in page.complaints if "409" not in text]  # type: ignore[attr-defined]


def test_two_browsers_edit_a_list_of_a_thousand_rows(
    visit: Callable[..., Page], engine: Engine, wait_for: Callable[..., Any]
) -> None:
    keys = [HDFC, *(each.key for each in instruments.fetch(engine, "NSE_EQ") if each.key not in {HDFC, TCS})]
    contracts = [f"NSE_FNO:{number}" for number in range(1, 1_000)]
    slug = made(engine, "Long", [*keys, *contracts][:999])
    watching, first, second = (
        visit(f"/watchlists/{slug}"),
        *(visit(f"/watchlists/{slug}/edit") for _ in range(2)),
    )
    expect(watching.locator("#ltp-NSE_EQ-1333 i")).to_have_text("live")
    watching.fill("#find", "half a word")
    first.fill("#n-NSE_EQ-1333", "of the first")
    second.fill("#n-NSE_EQ-1333", HOSTILE)
    first.click("#save")
    expect(first.locator("#latest")).to_contain_text("note or flag of HDFCBANK changed")
    second.click("#save")
    expect(second.locator("#refusal")).to_contain_text("The note or flag of HDFCBANK was changed meanwhile")
    assert second.input_value("#n-NSE_EQ-1333") == HOSTILE
    expect(second.locator("#l-NSE_EQ-1333")).to_contain_text("now: “of the first”")
    second.click("#save")  # knowing both
    expect(second.locator("#refusal")).to_have_count(0)
    first.click("#down-NSE_EQ-1333")  # of an older version, and made
    wait_for(lambda: [line.key for line in store.fetch(engine, slug).lines][1] == HDFC)
    expect(first.locator("#down-NSE_EQ-1333")).to_be_focused()
    assert store.fetch(engine, slug).lines[1].note == HOSTILE
    first.goto(re.sub("/edit.*", "/find?q=TCS", first.url))
    first.click("#add-NSE_EQ-11536")
    expect(first.locator("#add-NSE_EQ-11536")).to_have_count(0)
    store.change(engine, slug, edits.move(TCS, "top"), "test")
    # The open page has the new row with its price, and the text that its reader was typing.
    price = watching.locator("#ltp-NSE_EQ-11536")
    expect(price.locator("i")).to_have_text("live")
    before = price.inner_text()
    wait_for(lambda: price.inner_text() != before)
    assert watching.input_value("#find") == "half a word"
    expect(watching.locator("td.c-note").filter(has_text="<img src=x")).to_have_count(1)
    assert watching.locator("tbody img").count() == 0
    assert watching.title() == "Long · LTP"
    full = second
    full.goto(re.sub("/edit.*", "/find?q=NIFTY", full.url))
    full.locator("[id^=add-IDX_I]").first.click()
    expect(full.locator(".detail")).to_contain_text("a list has at most 1,000 instruments")
    assert (errors(watching), errors(first)) == ([], [])


def test_a_list_from_its_making_to_its_undone_deletion_without_scripts(
    visit: Callable[..., Page], engine: Engine
) -> None:
    page = visit("/watchlists", java_script_enabled=False)
    page.fill("#title", "Plain")
    page.click("#create")
    page.click("#first-paste")
    page.fill("#text", "HDFCBANK\n<b>nothing</b>\n[Second]\nTCS")
    page.click("#paste #add")
    expect(page.locator("#c-bad ~ tbody th")).to_have_text(["2"])
    page.click("#only-good")
    expect(page.locator("tbody th a")).to_have_text(["HDFCBANK", "TCS"])
    expect(page.locator("tr.section")).to_have_text("Second")
    page.click("#to-edit")
    page.fill("#n-NSE_EQ-11536", "typed before the move")
    page.click("#top-NSE_EQ-11536")
    expect(page.locator(".edited .name a")).to_have_text(["TCS", "HDFCBANK"])
    expect(page.locator("#n-NSE_EQ-11536")).to_have_value("typed before the move")
    page.goto(page.url.partition("/watchlists")[0] + "/screeners/swing?q=INFY&live=0")
    page.click("#to-list")
    page.check("#to-plain")
    page.click("#add")
    expect(page).to_have_url(re.compile("/watchlists/plain$"))
    expect(page.locator("tbody th a")).to_have_text(["TCS", "HDFCBANK", "INFY"])
    page.click("#to-edit")
    page.click("#delete")
    page.click("#undo")
    expect(page.locator("tbody th a")).to_have_text(["TCS", "HDFCBANK", "INFY"])
