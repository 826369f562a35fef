"""A browser in front of the whole product. Debian's Chromium, driven over its debugging protocol; nothing is
downloaded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.path.stack import Stack, running

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
MISSING = (
    "Chromium is missing: the browser tests did not run. Install it with: sudo apt-get install -y chromium"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM:
        return
    if os.environ.get("CI", "").lower() == "true":
        raise pytest.UsageError(MISSING)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=MISSING))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not CHROMIUM:
        terminalreporter.write_line(MISSING, red=True, bold=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    from tests.conftest import free_port

    with running(tmp_path_factory.mktemp("stack"), free_port, WEB_CONCURRENCY="1") as stack:
        yield stack


# Not for the session: Playwright keeps an event loop running in this thread, and tests after these need one
# of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Open an address in a tab of its own, `options` being those of a browser context. `page.complaints`
    collects what the browser's console holds against the page: violations of the policy, script errors,
    failed requests.
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
