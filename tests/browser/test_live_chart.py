"""The chart of an open page in a real browser: the forming candle moves, a new bar joins, nothing else is lost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from ltp.core.bars.bar import Bar
from ltp.db import minute_bars
from ltp.db.engine import open_engine
from tests.browser.prices import moves
from tests.path.stack import Stack

pytestmark = pytest.mark.browser
KEY, PAGE = "NSE_EQ:11536", "/instruments/NSE_EQ/11536?timeframe=1m"
NOW = "document.querySelector('#chart-now').textContent"
ROWS = "document.querySelectorAll('#chart-rows tbody tr').length"
WITHIN_MS = 100_000  # a bar is over once a minute


@pytest.fixture(scope="module")
def bars(stack: Stack) -> None:
    """Some minutes of the hour before, near the price of now."""
    engine = open_engine(f"sqlite:///{stack.folder / 'ltp.sqlite3'}")
    minute = int(time.time()) // 60 * 60
    past = [
        Bar(minute - 60 * back, 30_000_000, 30_050_000, 29_950_000, 30_010_000, 900)
        for back in range(200, 2, -1)
    ]
    minute_bars.upsert(engine, {KEY: past}, simulated=True)
    engine.dispose()


def test_the_forming_candle_moves_and_a_bar_that_is_over_joins(
    visit: Callable[..., Page], bars: None
) -> None:
    page = visit(PAGE, viewport={"width": 700, "height": 900})
    expect(page.locator("#chart-now")).to_contain_text("Forming: ")
    for _ in range(2):
        moves(page, NOW)
    page.locator("#bars-table").click()
    figure = page.locator("#chart-figure")
    figure.evaluate("figure => { figure.scrollLeft = -400; }")
    before = page.evaluate(ROWS)
    page.wait_for_function(f"(before) => {ROWS} > before", arg=before, timeout=WITHIN_MS)
    assert page.locator("details").evaluate("each => each.open")
    assert figure.evaluate("figure => figure.scrollLeft") == -400
    moves(page, NOW)
    plot, layer = (page.locator(name).bounding_box() for name in (".plot > svg", "#chart-forming > svg"))
    assert plot == layer
    assert page.complaints == []  # type: ignore[attr-defined]


def test_a_page_whose_stream_is_refused_gets_its_chart_by_polling(
    visit: Callable[..., Page], bars: None
) -> None:
    def without_stream(page: Page) -> None:
        page.route("**/stream*", lambda route: route.fulfill(status=503, body="no"))

    page = visit(PAGE, before=without_stream)
    expect(page.locator("#chart-now")).to_contain_text("Forming: ")
    for _ in range(2):
        moves(page, NOW)


def test_without_scripts_the_chart_has_its_forming_candle_as_of_the_load(
    visit: Callable[..., Page], bars: None
) -> None:
    page = visit(PAGE, java_script_enabled=False)
    expect(page.locator("#chart-now")).to_have_text(
        re.compile(r"Forming, as of [\d:]+ IST: .* open [\d,.]+, high")
    )
    assert page.locator("#chart-forming > svg path.rose, #chart-forming > svg path.fell").count() > 0
