"""The prices that an open page shows."""

from __future__ import annotations

from playwright.sync_api import Page

# The texts of all price cells, without their states.
PRICES = "[...document.querySelectorAll('[id^=ltp-] > b')].map(b => b.textContent).join()"


def moves(page: Page, script: str = PRICES) -> None:
    """Wait until `script` returns another value than now."""
    page.wait_for_function(f"(before) => {script} !== before", arg=page.evaluate(script))
