"""What a page does when its stream, its server or its reader is gone. No script of ours can help it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"
PRICES = "[...document.querySelectorAll('[id^=ltp-] > b')].map(b => b.textContent).join()"
HIDE = """(hidden) => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
    Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => hidden ? 'hidden' : 'visible'});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def moves(page: Page, timeout_s: float = 30) -> None:
    page.wait_for_function(
        f"(before) => {PRICES} !== before", arg=page.evaluate(PRICES), timeout=timeout_s * 1000
    )


def refuse_streams(page: Page) -> None:
    page.route(
        "**/stream*",
        lambda route: route.fulfill(
            status=503, headers={"HX-Reswap": "none"}, content_type="text/plain", body="full"
        ),
    )


def test_polling_takes_over_where_no_stream_is_to_be_had_and_ends_when_there_is_one(
    visit: Callable[..., Page],
) -> None:
    page = visit(SWING, before=refuse_streams)
    expect(page.locator("#poller")).to_contain_text("refreshing every")
    moves(page)
    moves(page)
    assert page.locator("#poller").count() == 1
    page.unroute("**/stream*")
    expect(page.locator("#poller")).to_have_count(0)
    polls: list[str] = []
    page.on("request", lambda request: "/poll" in request.url and polls.append(request.url))
    moves(page)
    page.wait_for_timeout(4_000)
    assert polls == []


def test_a_stream_that_says_nothing_is_replaced_by_polling(visit: Callable[..., Page], stack: Any) -> None:
    """The half-open connection that no error ever tells of: here a stream that is never answered."""
    held: list[Any] = []
    page = visit(SWING, before=lambda page: page.route("**/stream*", lambda route: held.insert(0, route)))
    expect(page.locator("#poller")).to_contain_text("refreshing every")
    moves(page)


def test_a_restarted_server_is_found_again(visit: Callable[..., Page], stack: Any) -> None:
    page = visit(SWING)
    moves(page)
    stack.stop("web")
    stack.start_web()
    moves(page)
    expect(page.locator("#poller")).to_have_count(0)
    expect(page.locator("#beat i")).to_be_hidden()


def test_a_frozen_server_is_soon_not_live_and_live_again_after(
    visit: Callable[..., Page], stack: Any
) -> None:
    page = visit(SWING)
    moves(page)
    stack.freeze("web")
    try:
        expect(page.locator("#beat i")).to_be_visible()
        assert page.locator("#beat i").inner_text() == "not live"
        expect(page.locator("#beat[role=status] .lost")).to_have_count(1)
        expect(page.locator(".c-ltp i").first).to_be_hidden()
        expect(page.locator(".feed-live")).to_be_hidden()
    finally:
        stack.thaw("web")
    expect(page.locator("#beat i")).to_be_hidden()
    moves(page)
    expect(page.locator("#poller")).to_have_count(0)
    expect(page.locator(".c-ltp i").first).to_be_visible()


def test_a_frozen_worker_makes_every_price_stale(visit: Callable[..., Page], stack: Any) -> None:
    page = visit(SWING)
    moves(page)
    stack.freeze("worker")
    try:
        page.wait_for_function(
            "() => [...document.querySelectorAll('[id^=ltp-] > i')].every(i => i.textContent === 'stale')",
            timeout=30_000,
        )
        expect(page.locator("#status")).not_to_contain_text("Feed live")
    finally:
        stack.thaw("worker")
    page.wait_for_function(
        "() => [...document.querySelectorAll('[id^=ltp-] > i')].some(i => i.textContent === 'live')",
        timeout=30_000,
    )
    expect(page.locator("#status")).to_contain_text("Feed live")


def test_a_hidden_tab_costs_nothing_and_resumes_where_it_was(visit: Callable[..., Page]) -> None:
    page = visit(SWING)
    moves(page)
    requests: list[Request] = []
    page.on("request", lambda request: requests.insert(len(requests), request))
    page.evaluate(HIDE, True)
    page.wait_for_timeout(11_000)
    assert [request.url for request in requests] == []
    page.evaluate(HIDE, False)
    moves(page)
    streams = [request for request in requests if "/stream" in request.url]
    assert len(streams) == 1
    assert streams[0].headers["last-event-id"].isdigit()
    assert page.complaints == []
