"""A page's timers, run ahead of real time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

_STEP_MS = 500


def hurry(page: Page, holds: Callable[[], bool], within_s: float = 120) -> None:
    """Let the page's time pass ten times as fast until `holds`, at most `within_s` of the page's seconds.

    The page was opened after `page.clock.install()`. Its requests take as long as ever.
    """
    for _ in range(round(within_s * 1000 / _STEP_MS)):
        if holds():
            return
        page.clock.run_for(_STEP_MS)
        page.wait_for_timeout(_STEP_MS / 10)
    pytest.fail(f"not within {within_s} s of the page's time")


def pass_time(page: Page, seconds: float) -> None:
    """Let the time of the page's timers and CSS animations pass at once. The page was opened as for `hurry`."""
    session = page.context.new_cdp_session(page)
    session.send("Animation.enable")
    session.send("Animation.setPlaybackRate", {"playbackRate": seconds * 2})
    page.clock.run_for(seconds * 1000)
    page.wait_for_timeout(500)
    session.send("Animation.setPlaybackRate", {"playbackRate": 1})
    session.detach()
