"""Firings in a real browser: on every open page at once, dismissed by a button, never in the way of what is read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import insert

from ltp.core.alerts.notice import Notice
from ltp.db.alerts.tables import alert_firings
from ltp.db.engine import open_engine, writing
from ltp.store import alerts
from tests.path.stack import Stack

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=document.title='owned'> \u202e"
_ids = itertools.count(1_000)  # greater than those of alerts that the worker may fire


@pytest.fixture
def fire(stack: Stack) -> Iterator[Callable[..., int]]:
    client = redis.Redis.from_url(stack.env["REDIS_URL"], protocol=2)

    def publish(**changed: Any) -> int:
        at = datetime.now(UTC) - timedelta(seconds=1)
        new = Notice(next(_ids), 3, "NSE_EQ:1333", "HDFCBANK", "ltp > 1650", "", at, 16_505_000, "trade")
        alerts.publish(client, new._replace(**changed))
        return int(new.id)

    yield publish
    client.close()


@pytest.fixture
def reader(browser: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """One reader, whose tabs share the mark of what was seen."""
    with browser.new_context(base_url=stack.url) as context:
        yield context


def opened(reader: BrowserContext, path: str) -> Page:
    page = reader.new_page()
    page.complaints = []  # type: ignore[attr-defined]
    page.on(
        "console",
        lambda message: message.type in {"error", "warning"} and page.complaints.append(message.text),
    )  # type: ignore[attr-defined]
    page.goto(path)
    # Its stream has begun: the event of each second has come.
    page.wait_for_function("() => document.querySelector('#beat i') !== null")
    return page


def test_two_open_pages_show_it_at_once_and_the_head_counts(
    reader: BrowserContext, fire: Callable[..., int]
) -> None:
    pages = [opened(reader, "/screeners/swing"), opened(reader, "/alerts/new?key=NSE_EQ:1333")]
    pages[1].locator("#note").fill("half typed")
    fire(note=HOSTILE)
    for page in pages:
        expect(page.locator(".notice:not(:empty)")).to_contain_text("HDFCBANK price above ₹1,650")
        expect(page.locator("header .fired")).to_have_text("1")
        assert page.title().endswith("· LTP")
    expect(pages[1].locator("#note")).to_be_focused()
    expect(pages[1].locator("#note")).to_have_value("half typed")
    fire()
    expect(pages[0].locator(".notice:not(:empty)")).to_have_count(2)
    expect(pages[0].locator("header .fired")).to_have_text("2")
    for page in pages:
        assert page.complaints == []  # type: ignore[attr-defined]


def test_it_stays_while_the_page_changes_and_goes_with_its_button(
    reader: BrowserContext, fire: Callable[..., int]
) -> None:
    page = opened(reader, "/screeners/swing")
    fire()
    expect(page.locator(".notice:not(:empty)")).to_have_count(1)
    page.click("#s-symbol")
    expect(page.locator("th[aria-sort=ascending] #s-symbol")).to_have_count(1)
    expect(page.locator(".notice:not(:empty)")).to_have_count(1)
    expect(page.locator("header .fired")).to_have_text("1")
    page.click("#dismiss")
    expect(page.locator(".notice:not(:empty)")).to_have_count(0)
    expect(page.locator("#dismiss")).to_be_hidden()
    page.reload()
    page.wait_for_function("() => document.querySelector('#beat i') !== null")
    expect(page.locator(".notice:not(:empty)")).to_have_count(0)
    expect(page.locator("header .fired")).to_have_text("")
    fire()
    expect(page.locator("header .fired")).to_have_text("1")


def test_at_most_three_are_shown_and_the_page_of_alerts_ends_them(
    reader: BrowserContext, fire: Callable[..., int]
) -> None:
    page = opened(reader, "/")
    for _ in range(5):
        fire()
    expect(page.locator("#notices .rest b")).to_have_text("5")
    expect(page.locator(".notice:not(:empty)")).to_have_count(3)
    page.click("#n-fired")
    expect(page.locator("h1")).to_have_text("Alerts")


def test_a_page_that_comes_back_misses_none(
    reader: BrowserContext, stack: Stack, fire: Callable[..., int]
) -> None:
    """Also where its server is another process by then, which never received it."""
    page = opened(reader, "/")
    values = {
        "id": next(_ids),
        "alert_id": 3,
        "version": 1,
        "token": "x",
        "segment": "",
        "security_id": 0,
        "symbol": "TCS",
    }
    values |= {"rule": "enters(swing)", "note": "", "how": "event", "detail": "came meanwhile", "fence": 1}
    stack.stop("web")
    now = datetime.now(UTC)
    database = open_engine(f"sqlite:///{stack.folder / 'ltp.sqlite3'}")
    with writing(database) as connection:
        connection.execute(insert(alert_firings).values(values | {"at": now, "noticed_at": now}))
    stack.start_web()
    expect(page.locator(".notice:not(:empty)")).to_contain_text("came meanwhile")
    expect(page.locator("header .fired")).to_have_text("1")


def test_without_scripts_the_next_load_shows_it_and_the_button_works(
    browser: Browser, stack: Stack, fire: Callable[..., int]
) -> None:
    with browser.new_context(base_url=stack.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/screeners/swing")
        fire()
        page.reload()
        expect(page.locator("header .fired")).to_have_text("1")
        expect(page.locator(".notice:not(:empty)")).to_have_count(1)
        page.click("#dismiss")
        expect(page.locator("h1")).to_contain_text("Swing screener")
        expect(page.locator(".notice:not(:empty)")).to_have_count(0)


def test_without_scripts_an_alert_is_made_changed_and_deleted(browser: Browser, stack: Stack) -> None:
    with browser.new_context(base_url=stack.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/instruments/NSE_EQ/1333")
        page.click("#b-alert")
        page.fill("#level", "999999")
        page.fill("#note", HOSTILE[:-1])
        page.click("#check")
        expect(page.locator("#distance")).to_contain_text("above the last price")
        page.click("#save")
        expect(page.locator("h1")).to_contain_text("price above ₹9,99,999")
        expect(page.locator(".said")).to_have_text(HOSTILE[:-2])
        page.click("#mute")
        expect(page.locator("#state")).to_have_text("muted")
        page.click("#edit")
        page.check("#kind-change")
        page.fill("#pct", "-3")
        page.click("#save")
        expect(page.locator("h1")).to_contain_text("change below -3%")
        page.click("#delete summary")
        page.click("#delete-it")
        expect(page.locator("h1")).to_have_text("Alerts")
        expect(page.locator("tr[id^=alert-]")).to_have_count(0)


def test_the_distance_follows_what_is_typed(visit: Callable[..., Page]) -> None:
    page = visit("/alerts/new?key=NSE_EQ:1333")
    page.fill("#level", "1")
    expect(page.locator("#distance")).to_contain_text("met already")
    page.fill("#level", "999999")
    expect(page.locator("#distance")).to_contain_text("₹9,99,999 is ")
    page.check("#kind-rule")
    page.fill("#rule", "ltp !> 5")
    expect(page.locator("#preview pre")).to_have_text("ltp !> 5\n    ^")
    assert page.complaints == []  # type: ignore[attr-defined]
