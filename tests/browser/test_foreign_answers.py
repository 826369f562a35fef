"""An answer in place of the site's empties no page: a proxy's, a log-in page's, the web server's, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.clock import hurry
from tests.browser.prices import moves
from tests.browser.proxy import Proxy, between
from tests.path.stack import Stack

pytestmark = pytest.mark.browser
SWING = "/screeners/swing"


def answer(status: str, body: str, kind: str = "text/html") -> bytes:
    text = body.encode()
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(text)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + text


def nginx(status: str) -> bytes:
    return answer(
        status,
        f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>",
    )


ANSWERS = {
    "forbidden": nginx("403 Forbidden"),
    "too long": answer(
        "414 URI Too Long", "<html><body><h1>Request Line is too large (4113 &gt; 4094)</h1></body></html>"
    ),
    "too many": nginx("429 Too Many Requests"),
    "failed": nginx("500 Internal Server Error"),
    "bad gateway": nginx("502 Bad Gateway"),
    "gateway timeout": nginx("504 Gateway Time-out"),
    "log in": answer(
        "200 OK", "<!doctype html><title>Log in</title><body><form action=/login><input name=user></form>"
    ),
    "another place": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/login\r\nContent-Length: 0\r\n\r\n",
    "plain": answer("200 OK", "ok", "text/plain"),
    "empty": answer("200 OK", ""),
    "empty refusal": answer("403 Forbidden", ""),
    "nothing": b"",
    "cut off": answer("200 OK", "<!doctype html><body><div id=screen>")[:-5],
    "no HTTP": b"SSH-2.0-OpenSSH_9.2p1\r\n",
}


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    with between(stack.url) as proxy:
        yield proxy


@pytest.fixture
def look(browser: Browser, proxy: Proxy) -> Iterator[Callable[..., Page]]:
    """Open an address of the site through the proxy."""
    contexts: list[BrowserContext] = []

    def open_(path: str, *, before: Callable[[Page], object] = lambda _: None) -> Page:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        before(page)
        page.goto(f"{proxy.url}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()


def unchanged(page: Page, proxy: Proxy) -> None:
    """Hold that the page kept its rows, shows the notice about it, and that its prices go on moving."""
    expect(page.locator("#unanswered")).to_contain_text("This page stays as it was")
    expect(page.locator("#unanswered p").first).to_be_in_viewport()
    assert proxy.met >= 1
    assert page.locator("tbody tr").count() == 50
    moves(page)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_link_that_something_else_answers_leaves_the_page(
    look: Callable[..., Page], proxy: Proxy, name: str
) -> None:
    page = look(SWING)
    page.fill("#find", "half typed")
    address, title = page.url, page.title()
    proxy.instead = ("tab=recommendations", ANSWERS[name])
    page.click("#t-recommendations")
    unchanged(page, proxy)
    assert (page.url, page.title(), page.input_value("#find")) == (address, title, "half typed")
    proxy.instead = None
    page.click("#t-recommendations")
    page.wait_for_url("**tab=recommendations")
    expect(page.locator("#s-setup")).to_be_visible()
    expect(page.locator("#unanswered")).to_have_text("")
    moves(page)


@pytest.mark.parametrize("name", ["too long", "log in", "empty", "nothing"])
def test_a_form_that_something_else_answers_keeps_what_was_typed(
    look: Callable[..., Page], proxy: Proxy, name: str
) -> None:
    page = look(SWING)
    proxy.instead = ("q=bank", ANSWERS[name])
    page.fill("#q", "bank")
    page.press("#q", "Enter")
    unchanged(page, proxy)
    assert page.input_value("#q") == "bank"
    assert page.url.endswith(SWING)


@pytest.mark.parametrize("name", ["forbidden", "bad gateway", "log in", "nothing"])
def test_a_form_that_is_sent_keeps_what_was_typed(look: Callable[..., Page], proxy: Proxy, name: str) -> None:
    page = look("/screeners/custom?c=close+%3E+1")
    page.locator("#compose").evaluate("details => { details.open = true }")
    proxy.instead = ("POST ", ANSWERS[name])
    page.fill("#name", "Strong trend")
    page.click("#save-it")
    expect(page.locator("#unanswered")).to_contain_text("This page stays as it was")
    assert proxy.met == 1
    assert page.input_value("#name") == "Strong trend"


@pytest.mark.parametrize("name", ["forbidden", "bad gateway", "log in", "empty", "nothing"])
def test_back_to_a_page_that_something_else_answers_leaves_the_page(
    look: Callable[..., Page], proxy: Proxy, name: str
) -> None:
    page = look(SWING)
    page.click("#s-symbol")
    page.wait_for_url("**sort=symbol")
    proxy.instead = (f"GET {SWING} ", ANSWERS[name])
    page.go_back()
    unchanged(page, proxy)


@pytest.mark.parametrize("name", ["too many", "log in", "empty", "nothing"])
@pytest.mark.parametrize(
    ("path", "requested", "kept"),
    [("/status", "/status/poll", "#figures #h-process"), (SWING, f"{SWING}/", "#beat i")],
    ids=["figures", "prices"],
)
def test_a_foreign_answer_to_a_request_of_the_page_itself_replaces_nothing(
    look: Callable[..., Page], proxy: Proxy, path: str, requested: str, kept: str, name: str
) -> None:
    proxy.instead = (requested, ANSWERS[name])
    page = look(path, before=lambda page: page.clock.install())
    hurry(page, lambda: proxy.met >= 3)  # a stream at once, and polls some seconds after it failed
    expect(page.locator(kept)).to_have_count(1)
    expect(page.locator("#unanswered")).to_have_text("")


def test_where_the_site_itself_fails_the_page_shows_the_reason(
    look: Callable[..., Page], stack: Stack
) -> None:
    page = look(SWING)
    database = stack.folder / "ltp.sqlite3"
    hidden = database.rename(stack.folder / "away.sqlite3")
    database.mkdir()  # nothing can be opened there
    try:
        page.locator("#run-now").click()
        expect(page.locator("#why")).to_have_text("The database cannot be reached.")
        expect(page.locator("#kept")).to_contain_text("This page stays as it was")
        assert page.locator("tbody tr").count() == 50
    finally:
        database.rmdir()
        hidden.rename(database)
