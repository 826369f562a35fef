"""A screen from its form to its live table, evaluated by the real worker, with and without JavaScript."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ltp.core.history.candle import Candle
from ltp.db import candles, universes
from ltp.db.engine import open_engine
from tests.path.stack import Stack

pytestmark = pytest.mark.browser
WITHIN_MS = 60_000
NEWEST = date(2026, 11, 20)


@pytest.fixture(autouse=True, scope="module")
def shares(stack: Stack) -> Iterator[None]:
    """Three shares with 300 candles each: one that rises, one that falls, one that stands still."""
    engine = open_engine(f"sqlite:///{stack.folder / 'ltp.sqlite3'}")
    steps = {"NSE_EQ:1333": 1.002, "NSE_EQ:11536": 0.998, "NSE_EQ:1594": 1.0}
    history = {key: list(_candles(step)) for key, step in steps.items()}
    candles.upsert(engine, "adjusted", history)
    universes.replace(engine, "list-three", "Three shares", "the tests", history)
    stack.until(lambda: "list-three" in _read(f"{stack.url}/screeners/custom"), "the universe")
    yield
    engine.dispose()


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read(), "utf-8")


def _candles(step: float) -> Iterator[Candle]:
    price = 1_000.0
    for back in range(300, 0, -1):
        price *= step if back % 4 else 2 - step
        close = round(price * 100) * 100
        yield Candle(NEWEST - timedelta(days=back), close, close + 20_000, close - 20_000, close, 1_000_000)


def fill(page: Page, criterion: str) -> None:
    page.fill("#c-new", criterion)
    page.select_option("#universe", "list-three")
    page.click("#screen-it")


def test_from_a_wrong_criterion_to_a_saved_screen(visit: Callable[..., Page]) -> None:
    page = visit("/screeners/custom")
    fill(page, "close > emaa50")
    expect(page.locator("#c1-error")).to_contain_text("did you mean ema50?")
    page.fill("#c1", "close > ema50")
    page.click("#screen-it")
    expect(page.locator("tbody th a")).to_have_text(["HDFCBANK"], timeout=WITHIN_MS)
    assert "c=close+%3E+ema50&universe=list-three" in page.url
    expect(page.locator("[id^=ltp-] i").first).to_have_text("live", timeout=WITHIN_MS)
    page.click("#compose summary")
    page.select_option("#fact", "rsi")
    page.fill("#number", "10")
    page.click("#add")
    expect(page.locator(".criteria code")).to_have_text(["close > ema50", "rsi14 > 10"])
    expect(page.locator("tbody th a")).to_have_text(["HDFCBANK"], timeout=WITHIN_MS)
    page.click("#compose summary")
    page.fill("#name", "Rising")
    page.click("#save-it")
    expect(page.locator("h1")).to_have_text("Rising")
    page.click("#run-now")
    expect(page.locator("#progress, #run-now")).to_be_visible()
    expect(page.locator("#run-now")).to_be_visible(timeout=WITHIN_MS)
    expect(page).to_have_url(f"{page.url.partition('/screeners')[0]}/screeners/rising", timeout=WITHIN_MS)
    page.click("#a-runs")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert [text for text in page.complaints if "400" not in text] == []  # type: ignore[attr-defined]


def _reloaded(page: Page) -> Page:
    """Click the reload link: without scripts a page with a form does not change by itself."""
    page.click("#reload")
    return page


def test_the_same_without_scripts(visit: Callable[..., Page], wait_for: Callable[..., Any]) -> None:
    page = visit("/screeners/custom", java_script_enabled=False)
    fill(page, "close < ema50")
    wait_for(lambda: _reloaded(page).locator("tbody th a").count(), WITHIN_MS / 1000)
    assert page.locator("tbody th a").all_inner_texts() == ["TCS"]
    page.click("#compose summary")
    page.fill("#name", "runs")
    page.click("#save-it")
    assert "are taken" in page.locator("#save-error").inner_text()
    page.fill("#name", "Falling")
    page.click("#save-it")
    assert "/screeners/falling" in page.url
    page.click("#run-now")
    page.wait_for_selector("#run-now", timeout=WITHIN_MS)
    page.click("#a-runs")
    assert page.locator("tbody tr").count() == 2
    page.goto(page.url.replace("/runs", ""))
    page.click(".owned summary")
    page.click("#delete")
    assert page.url.endswith("/screeners")
