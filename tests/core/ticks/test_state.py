"""The state of a price: the rule itself, and the feed state that supplies its arguments."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.ticks.state import FeedState, state
from ltp.core.ticks.tick import LIVE_FOR_S, Tick

NOW = 1795408200.0  # 2026-11-23 10:00:00 in India
TICK = Tick("NSE_EQ:1333", ltp=16503500, traded_at=int((NOW - 5) * 1e6), received_at=int(NOW * 1e6))
LIVE: dict[str, Any] = {
    "now": NOW,
    "linked": True,
    "feed": "live",
    "open_": True,
    "covered": True,
    "doubted": False,
}


def test_a_fresh_trade_on_a_live_feed_is_live() -> None:
    assert state(TICK, **LIVE) == "live"


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(0.0, "live"), (LIVE_FOR_S, "live"), (LIVE_FOR_S + 0.001, "quiet"), (86_400.0, "quiet")],
)
def test_quiet_after_a_minute_without_a_trade(age_s: float, expected: str) -> None:
    assert state(TICK._replace(traded_at=round((NOW - age_s) * 1e6)), **LIVE) == expected


@pytest.mark.parametrize("feed", ["silent", "down", "off"])
def test_stale_unless_the_feed_is_live(feed: str) -> None:
    assert state(TICK, **LIVE | {"feed": feed}) == "stale"


@pytest.mark.parametrize("change", [{"covered": False}, {"doubted": True}])
def test_stale_if_the_feed_does_not_vouch_for_it(change: dict[str, bool]) -> None:
    assert state(TICK, **LIVE | change) == "stale"


@pytest.mark.parametrize("feed", ["live", "silent", "down", "off"])
@pytest.mark.parametrize("covered", [True, False])
@pytest.mark.parametrize("doubted", [True, False])
def test_closed_whatever_the_feed(feed: str, covered: bool, doubted: bool) -> None:
    """The price of a closed market is its close; a feed that is off by then is no fault."""
    changes = {"feed": feed, "open_": False, "covered": covered, "doubted": doubted}
    assert state(TICK, **LIVE | changes) == "closed"


@pytest.mark.parametrize("open_", [True, False])
def test_stale_without_the_worker_because_only_it_knows_what_is_closed(open_: bool) -> None:
    assert state(TICK, **LIVE | {"linked": False, "open_": open_}) == "stale"


@pytest.mark.parametrize(
    "tick", [None, Tick("NSE_EQ:1333"), Tick("NSE_EQ:1333", volume=5, prev_close=100, received_at=1)]
)
@pytest.mark.parametrize("change", [{}, {"open_": False}, {"linked": False}])
def test_unknown_without_a_price(tick: Tick | None, change: dict[str, bool]) -> None:
    assert state(tick, **LIVE | change) == "unknown"


def test_a_rest_price_is_never_live() -> None:
    assert state(TICK._replace(rest=True), **LIVE) == "quiet"


def test_a_trade_of_unknown_instant_is_not_live() -> None:
    assert state(TICK._replace(traded_at=0), **LIVE) == "quiet"


@pytest.mark.parametrize(
    ("since", "covers"), [(0, False), (1, True), (TICK.received_at, True), (TICK.received_at + 1, False)]
)
def test_a_connection_covers_the_prices_received_on_it(since: int, covers: bool) -> None:
    assert FeedState(NOW, since=since).covers(TICK) is covers
    assert not FeedState(NOW, since=since).covers(None)


@pytest.mark.parametrize(
    ("change", "doubt"),
    [({}, "delayed by 1 min"), ({"linked": False}, ""), ({"feed": "down"}, ""), ({"doubts": {}}, "")],
)
def test_a_doubt_is_named_only_while_the_feed_is_live(change: dict[str, Any], doubt: str) -> None:
    feed = FeedState(NOW, True, "live", 1, frozenset(), {"NSE_EQ": "delayed by 1 min"})._replace(**change)
    assert feed.doubt("NSE_EQ", "stale") == doubt
    assert feed.doubt("NSE_EQ", "closed") == feed.doubt("IDX_I", "stale") == ""


def test_a_dead_connection_has_no_live_price() -> None:
    feed = FeedState(NOW)
    assert (feed.state("NSE_EQ", TICK, True), feed.live_from) == ("stale", float("inf"))
