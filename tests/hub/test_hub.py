"""The hub: what is shown, what is read from the cache, what a gap repairs, whom views are kept for."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.ticks.quote import CachedTick
from ltp.errors import StoreError


def test_an_unknown_key_is_read_once_and_then_followed(rig: Any) -> None:
    rig.cache["NSE_EQ:1"] = CachedTick("NSE_EQ:1", rig.tick("NSE_EQ:1", 100), True)
    rig.apply()
    for _ in range(3):
        assert [(quote.key, quote.state) for quote in rig.hub.quotes(["NSE_EQ:1"])] == [("NSE_EQ:1", "live")]
    assert rig.reads == [["NSE_EQ:1"]]
    rig.prices(k1=101)
    assert rig.hub.quotes(["NSE_EQ:1"])[0].tick.ltp == 101


def test_quotes_come_in_the_order_asked_for(rig: Any) -> None:
    keys = ["NSE_EQ:3", "NSE_EQ:1", "NSE_EQ:2"]
    assert [quote.key for quote in rig.hub.quotes(keys)] == keys


def test_without_the_cache_nothing_raises_and_what_is_missing_comes_when_it_is_back(rig: Any) -> None:
    rig.prices(k1=100)
    rig.cache_down = True
    assert [quote.state for quote in rig.hub.quotes(["NSE_EQ:1", "NSE_EQ:2"])] == ["live", "unknown"]
    rig.cache["NSE_EQ:2"] = CachedTick("NSE_EQ:2", rig.tick("NSE_EQ:2", 200), True)
    rig.cache_down = False
    rig.clock.s += 3
    rig.hub._reread_when_due()
    assert rig.hub.last_known(["NSE_EQ:2"])[0].tick.ltp == 200


def test_last_known_never_reads_the_cache(rig: Any) -> None:
    assert rig.hub.last_known(["NSE_EQ:1"])[0].state == "unknown"
    assert rig.reads == []


def test_what_was_not_shown_for_a_while_is_read_again_since_it_may_be_subscribed_no_more(rig: Any) -> None:
    rig.prices(k1=100)
    rig.cache["NSE_EQ:1"] = CachedTick("NSE_EQ:1", rig.tick("NSE_EQ:1", 100), False)
    rig.clock.s += 21
    rig.apply()
    assert rig.hub.quotes(["NSE_EQ:1"])[0].state == "stale"


def test_a_repair_brings_what_was_lost_to_every_open_view(rig: Any, browse: Any) -> None:
    rig.prices(k1=100, k2=200)
    browser = browse(rig, rig.view(1, 2))
    rig.until(lambda: browser.frames)
    rig.cache["NSE_EQ:1"] = CachedTick(
        "NSE_EQ:1", rig.tick("NSE_EQ:1", 111, received_at=rig.clock.us() + 1), True
    )
    rig.hub._repair()
    rig.until(lambda: "<b>111</b>" in browser.cells["ltp-NSE_EQ-1"])


def test_a_repair_forgets_what_it_did_not_read(rig: Any) -> None:
    rig.prices(k1=100, k2=200)
    rig.view(2)
    rig.clock.s += 11  # the page of NSE_EQ:1 was never asked for
    rig.hub._repair()
    assert rig.hub.last_known(["NSE_EQ:1"])[0].state == "unknown"
    assert rig.hub.last_known(["NSE_EQ:2"])[0].tick.ltp == 200


def test_a_repair_that_cannot_read_says_so_and_forgets_nothing(rig: Any) -> None:
    rig.prices(k1=100)
    rig.view(1)
    rig.cache_down = True
    with pytest.raises(StoreError):
        rig.hub._repair()
    assert rig.hub.last_known(["NSE_EQ:1"])[0].tick.ltp == 100


def test_what_is_shown_is_read_again_every_half_minute(rig: Any) -> None:
    rig.view(1)
    rig.hub._reread_when_due()
    before = len(rig.reads)
    rig.clock.s += 29
    rig.hub._reread_when_due()
    assert len(rig.reads) == before
    rig.clock.s += 2
    rig.hub._reread_when_due()
    assert rig.reads[-1] == ["NSE_EQ:1"]


def test_shown_is_what_open_views_and_recent_pages_show(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    rig.hub.quotes(["NSE_EQ:2"])
    assert rig.hub.shown() == {"NSE_EQ:1", "NSE_EQ:2"}
    rig.round(11)
    assert rig.hub.shown() == {"NSE_EQ:1"}
    browser.leave()
    rig.round(1)
    rig.round(1)
    rig.round(6)
    assert rig.hub.shown() == set()


def test_a_new_view_is_announced_once_and_at_once(rig: Any) -> None:
    announced: list[Any] = []
    rig.hub.on_shown = announced.append
    rig.view(1, 2)
    rig.view(2, 1)
    assert announced == [("NSE_EQ:1", "NSE_EQ:2")]


def test_an_announcement_that_fails_does_not_fail_the_page(rig: Any) -> None:
    def fails(_keys: Any) -> None:
        raise StoreError("Redis is away")

    rig.hub.on_shown = fails
    assert rig.view(1).keys == ("NSE_EQ:1",)


def test_a_view_that_was_dropped_while_its_request_was_under_way_still_streams(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    rig.round(6)
    rig.round(6)
    rig.prices(k1=100)
    browser = browse(rig, view)
    rig.prices(k1=101)
    rig.until(lambda: browser.cells.get("chg-NSE_EQ-1") == "101!")


def test_polling_is_served_the_same_cells_calm(rig: Any) -> None:
    rig.prices(k1=100)
    rig.prices(k1=101)
    quotes = rig.hub.quotes(["NSE_EQ:1"])
    assert rig.hub.partials(quotes, ["chg"]) == '<hx-partial id="chg-NSE_EQ-1">101!</hx-partial>'
    assert "class" not in rig.hub.partials(quotes, ["ltp"])


def test_the_header_of_the_newest_batch_is_there_for_pages(rig: Any) -> None:
    assert (rig.hub.link_age_s, rig.hub.feed, rig.hub.source) == (float("inf"), "down", "")
    rig.prices(k1=100)
    rig.clock.s += 2
    assert (rig.hub.link_age_s, rig.hub.feed, rig.hub.source) == (2.0, "live", "simulator")
    assert rig.hub.feed_states()["0"].since == 1
    assert rig.hub.phase == {"NSE_EQ": "continuous"}
    rig.clock.s += 7
    assert rig.hub.feed == "down"


def test_batches_reach_browsers_when_everything_runs_by_itself(rig: Any, browse: Any, wait_for: Any) -> None:
    rig.hub._relay._subscribe = lambda: iter([None, rig.batch(rig.tick("NSE_EQ:1", 100))])
    rig.hub._writer._monotonic = rig.clock.monotonic
    browser = browse(rig, rig.view(1))
    rig.hub.start()

    def came() -> bool:
        rig.clock.s += 0.05
        browser.read()
        return browser.cells.get("chg-NSE_EQ-1") == "100!"

    wait_for(came)
    rig.hub.stop()
