"""What the hub says in the cache's place, and when it says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.ticks.quote import CachedTick

KEY, OTHER = "NSE_EQ:1", "NSE_EQ:2"


def vouched(rig: Any, *keys: str) -> list[tuple[int, str]] | None:
    found = rig.hub.vouched(keys or (KEY,))
    return found and [(quote.tick.ltp, quote.state) for quote in found.quotes]


def test_what_a_batch_told_of_is_vouched_for_without_a_read(rig: Any) -> None:
    rig.prices(k1=100, k2=200)
    assert vouched(rig, OTHER, KEY) == [(200, "live"), (100, "live")]
    assert rig.hub.vouched([KEY, OTHER]).covered == 2
    assert rig.reads == []


def test_what_the_board_has_not_heard_of_is_read_once(rig: Any) -> None:
    rig.cache[KEY] = CachedTick(KEY, rig.tick(KEY, 100), False)
    rig.apply()
    assert vouched(rig) == vouched(rig) == [(100, "stale")]
    assert rig.hub.vouched([KEY]).covered == 0
    assert rig.reads == [[KEY]]


def test_what_was_not_asked_for_in_a_while_is_read_again(rig: Any) -> None:
    rig.prices(k1=100)
    rig.cache[KEY] = CachedTick(KEY, rig.tick(KEY, 100), False)
    rig.clock.s += 21
    rig.apply()
    assert vouched(rig) == [(100, "stale")]


def test_a_cache_that_cannot_be_read_is_not_spoken_for(rig: Any) -> None:
    rig.prices(k1=100)
    rig.clock.s += 21
    rig.apply()
    rig.cache_down = True
    assert vouched(rig) is None


@pytest.mark.parametrize("change", [{"rest": True}, {"ltp": None}])
def test_what_only_the_cache_can_judge_is_not_vouched_for(rig: Any, change: dict[str, Any]) -> None:
    rig.apply(rig.tick(KEY, 100)._replace(**change), rig.tick(OTHER, 200))
    assert vouched(rig, OTHER) == [(200, "live")]
    assert vouched(rig, OTHER, KEY) is None


@pytest.mark.parametrize("feed", ["silent", "down", "off"])
def test_nothing_is_vouched_for_without_a_live_feed(rig: Any, feed: str) -> None:
    rig.prices(k1=100)
    assert rig.hub.stamp
    rig.apply(feed=feed)
    assert (vouched(rig), rig.hub.stamp) == (None, 0)


def test_nothing_is_vouched_for_after_a_gap_or_before_the_first_batch(rig: Any) -> None:
    rig.cache[KEY] = CachedTick(KEY, rig.tick(KEY, 100), True)
    assert vouched(rig) is None
    rig.apply()
    assert vouched(rig) == [(100, "live")]
    rig.hub.prices.repair()
    assert (vouched(rig), rig.hub.stamp) == (None, 0)
    rig.apply()
    assert vouched(rig) == [(100, "live")]


def test_a_late_worker_is_not_spoken_for(rig: Any) -> None:
    rig.prices(k1=100)
    rig.clock.s += 3.1
    assert vouched(rig) is None


def test_a_price_goes_quiet_by_the_clock_alone_and_open_pages_are_told(rig: Any, browse_socket: Any) -> None:
    rig.prices(k1=100)
    browser = browse_socket(rig, rig.view(1))
    rig.until(lambda: browser.frames)
    rig.clock.s += 61
    rig.apply()
    rig.apply(rig.tick(OTHER, 200))
    assert vouched(rig) == [(100, "quiet")]
    rig.until(lambda: "quiet" in browser.cells["ltp-NSE_EQ-1"])


def test_a_state_turns_with_the_market_though_nobody_has_the_page_open(rig: Any) -> None:
    rig.prices(k1=100)
    rig.apply(phase={"NSE_EQ": "closed"})
    assert vouched(rig) == [(100, "closed")]
    rig.apply()
    assert vouched(rig) == [(100, "live")]
    rig.apply(since=rig.clock.us() + 1)
    assert vouched(rig) == [(100, "stale")]


def test_the_stamp_stays_while_the_answer_does(rig: Any) -> None:
    rig.prices(k1=100)
    before, answer = rig.hub.stamp, rig.hub.vouched([KEY])
    assert (rig.hub.stamp, rig.hub.vouched([KEY])) == (before, answer)
    rig.apply(rig.tick(KEY, 100, ltt=5))  # looks the same on a page, and is another trade
    assert rig.hub.stamp > before
    before = rig.hub.stamp
    rig.hub.board.load([CachedTick(KEY, rig.tick(KEY, 100), False)])
    assert rig.hub.stamp > before


def test_more_than_the_board_is_made_for_is_not_kept(rig: Any) -> None:
    rig.apply()
    keys = [f"NSE_EQ:{number}" for number in range(1, 6_003)]
    rig.hub.vouched(keys)
    assert rig.hub.vouched(["NSE_EQ:9999"]) is None
    assert "NSE_EQ:9999" not in rig.hub.prices.shown()
