"""Pages whose stream, server or reader is gone. No script of the site runs in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.clock import hurry, pass_time
from tests.browser.prices import PRICES, moves

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"
# The states of all price cells, each once.
STATES = "[...new Set([...document.querySelectorAll('[id^=ltp-] > i')].map(i => i.textContent))].join()"
HIDE = """(hidden) => {
    const state = hidden ? 'hidden' : 'visible';
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
    Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => state});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


def has_poller(page: Page) -> bool:
    return "refreshing every" in "".join(page.locator("#poller").all_inner_texts())


def refuse_streams(page: Page) -> None:
    page.clock.install()
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
    hurry(page, lambda: has_poller(page))
    for _ in range(2):
        before = page.evaluate(PRICES)
        hurry(page, lambda before=before: page.evaluate(PRICES) != before)
    assert page.locator("#poller").count() == 1
    page.unroute("**/stream*")
    hurry(page, lambda: page.locator("#poller").count() == 0)
    polls: list[str] = []
    page.on("request", lambda request: "/poll" in request.url and polls.append(request.url))
    moves(page)
    page.wait_for_timeout(4_000)
    assert polls == []


def test_a_stream_without_messages_is_replaced_by_polling(visit: Callable[..., Page]) -> None:
    """A half-open connection, which ends with no error: here a stream that is never answered."""
    unanswered: list[Route] = []

    def leave_streams(page: Page) -> None:
        page.clock.install()
        # Playwright accepts no method of a builtin as a handler.
        page.route("**/stream*", lambda route: unanswered.append(route))  # noqa: PLW0108

    page = visit(SWING, before=leave_streams)
    hurry(page, lambda: has_poller(page))
    assert unanswered
    before = page.evaluate(PRICES)
    hurry(page, lambda: page.evaluate(PRICES) != before)


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
    page = visit(SWING, before=lambda page: page.clock.install())
    moves(page)
    expect(page.locator("#beat i")).to_be_hidden()
    stack.freeze("web")
    try:
        pass_time(page, 12)
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
        page.wait_for_function(f"() => {STATES} === 'stale'")
        expect(page.locator("#status")).not_to_contain_text("Feed live")
    finally:
        stack.thaw("worker")
    page.wait_for_function(f"() => {STATES}.split(',').includes('live')")
    expect(page.locator("#status")).to_contain_text("Feed live")


def test_a_hidden_tab_costs_nothing_and_resumes_where_it_was(visit: Callable[..., Page]) -> None:
    page = visit(SWING, before=lambda page: page.clock.install())
    moves(page)
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))  # noqa: PLW0108
    page.evaluate(HIDE, True)
    pass_time(page, 60)
    assert [request.url for request in requests] == []
    page.evaluate(HIDE, False)
    moves(page)
    streams = [request for request in requests if "/stream" in request.url]
    assert len(streams) == 1
    assert streams[0].headers["last-event-id"].isdigit()
    assert page.complaints == []
