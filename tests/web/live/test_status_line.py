from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ltp.web.live.status_line import render, render_partial
from ltp.web.market import status


def hub(feed: str = "live", link_age_s: float = 0.0, **phase: str) -> Any:
    return SimpleNamespace(
        feed=feed, link_age_s=link_age_s, phase=phase, doubts={}, notice="", session="2026-11-27"
    )


@pytest.mark.parametrize("age", [8.1, float("inf")])
def test_without_batches_the_last_state_of_the_feed_does_not_count(age: float) -> None:
    assert "Feed live" in render(hub("live"))
    assert status(hub("live", age)).feed == "lost"
    assert "Feed live" not in render(hub("live", age))


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("continuous", "NSE open"),
        ("pre_open", "NSE pre-open"),
        ("closing_auction", "NSE closing auction"),
        ("post_close", "NSE post-close"),
        ("closed", "NSE closed"),
    ],
)
def test_the_phase_in_words(phase: str, words: str) -> None:
    assert render(hub(NSE_EQ=phase)).endswith(words)


def test_while_the_market_is_closed_the_line_has_the_date_of_the_prices() -> None:
    assert (
        render(hub(NSE_EQ="closed"))
        == '<span class="feed-live">Feed live</span> · prices of 27 Nov 2026 · NSE closed'
    )
    assert "prices of" not in render(hub(NSE_EQ="continuous"))


def test_a_phase_from_the_cache_is_escaped() -> None:
    assert render(hub(NSE_EQ="<b>")).endswith("NSE &lt;b&gt;")
    assert render(hub()).endswith("NSE unknown")


def test_the_partial_contains_the_line() -> None:
    assert render_partial(hub()) == f'<hx-partial id="status">{render(hub())}</hx-partial>'


def test_provisional_trading_hours_are_in_the_line() -> None:
    unsure = hub()
    unsure.notice = "trading hours provisional from 7 Dec"
    assert render(unsure).endswith(' · <a href="/status#h-calendar">trading hours provisional from 7 Dec</a>')
