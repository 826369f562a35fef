from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ltp.web.live.status_line import line, partial
from ltp.web.market import status


def hub(feed: str = "live", link_age_s: float = 0.0, **phase: str) -> Any:
    return SimpleNamespace(
        feed=feed, link_age_s=link_age_s, phase=phase, doubts={}, notice="", session="2026-11-27"
    )


@pytest.mark.parametrize("age", [8.1, float("inf")])
def test_a_worker_that_is_not_heard_is_said_before_what_it_last_said(age: float) -> None:
    assert status(hub("live", age)).feed == "lost"
    assert "Feed live" not in line(hub("live", age))


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
    assert line(hub(NSE_EQ=phase)).endswith(words)


def test_the_date_of_a_closed_markets_prices_is_told_once() -> None:
    assert (
        line(hub(NSE_EQ="closed"))
        == '<span class="feed-live">Feed live</span> · prices of 27 Nov 2026 · NSE closed'
    )
    assert "prices of" not in line(hub(NSE_EQ="continuous"))


def test_what_comes_through_the_cache_is_text() -> None:
    assert line(hub(NSE_EQ="<b>")).endswith("NSE &lt;b&gt;")
    assert line(hub()).endswith("NSE unknown")


def test_the_update_is_the_line_itself() -> None:
    assert partial(hub()) == f'<hx-partial id="status">{line(hub())}</hx-partial>'


def test_trading_hours_that_are_not_certain_are_told_on_every_page() -> None:
    unsure = hub()
    unsure.notice = "trading hours provisional from 7 Dec"
    assert line(unsure).endswith(' · <a href="/status#h-calendar">trading hours provisional from 7 Dec</a>')
