"""Debian's Chromium in front of the whole product, driven over its debugging protocol."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.missing import cannot_run
from tests.path.stack import Stack, running
from tests.ports import free_port

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WITHIN_MS = 30_000  # a busy machine is no fault of a page
expect.set_options(timeout=WITHIN_MS)


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    return CHROMIUM or cannot_run("Chromium is not installed: sudo apt-get install -y chromium")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack"), free_port, WEB_CONCURRENCY="1") as stack:
        yield stack


# Not for the session: Playwright keeps an event loop running in this thread, and later tests need their own.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Open an address in a tab of its own; `options`: of the browser context. `page.complaints` collects the
    errors and warnings of the console: violations of the policy, script errors, failed requests.
    """
    contexts: list[BrowserContext] = []

    def open_(path: str, *, before: Callable[[Page], object] = lambda _: None, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []  # type: ignore[attr-defined]
        page.on(
            "console",
            lambda message: message.type in {"error", "warning"} and page.complaints.append(message.text),
        )  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        before(page)
        page.goto(f"{stack.url}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()
