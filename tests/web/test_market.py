from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ltp.web.market import status


def hub(feed: str = "live", link_age_s: float = 0.0, **phase: str) -> Any:
    return SimpleNamespace(
        feed=feed, link_age_s=link_age_s, phase=phase, doubts={}, notice="", session="2026-11-27"
    )


@pytest.mark.parametrize(
    ("feed", "words"),
    [
        ("live", "Feed live"),
        ("silent", "Feed silent"),
        ("down", "Feed disconnected"),
        ("off", "Feed off"),
        ("new", "Feed unknown"),
    ],
)
def test_each_state_of_the_feed_has_a_text(feed: str, words: str) -> None:
    assert status(hub(feed)).words.startswith(words)


def test_only_segments_with_a_phase_are_listed() -> None:
    assert status(hub(NSE_EQ="closed", X="y")).phases == (("NSE shares", "closed"),)


def test_segments_in_doubt_are_named_instead_of_a_live_feed() -> None:
    late = hub()
    late.doubts = {"NSE_EQ": "delayed by 2 min 30 s", "IDX_I": "delayed by 2 min 30 s", "MCX_COMM": ""}
    assert status(late).words == (
        "NSE shares, Indices delayed by 2 min 30 s; MCX commodities silent: no prices are coming in"
    )
    assert status(late).feed == "silent"
