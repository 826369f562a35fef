"""Prices: when quotes are read from the cache, how a gap is repaired, which instruments count as shown."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from ltp import metrics
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.errors import StoreError
from ltp.hub.board import Board
from ltp.hub.prices import Prices

KEY, OTHER = "NSE_EQ:1", "NSE_EQ:2"
START_US = 2_000_000_000_000_000


class Desk:
    """Prices over a cache that the test fills. `views`: instruments of open views."""

    def __init__(self) -> None:
        self.s = 100.0
        self.cache: dict[str, CachedTick] = {}
        self.reads: list[list[str]] = []
        self.cache_down = False
        self.views: dict[str, None] = {}
        self.changed: list[str] = []
        self.board = Board(lambda: self.us() / 1e6, lambda: self.s)
        self.prices = Prices(
            self.board,
            self.snapshot,
            lambda: self.s,
            threading.RLock(),
            shown=self.views.keys,
            on_change=self.changed.extend,
        )

    def us(self) -> int:
        return START_US + int(self.s * 1e6)

    def snapshot(self, keys: Sequence[str]) -> list[CachedTick]:
        self.reads.append(list(keys))
        if self.cache_down:
            raise StoreError("Redis is away")
        return [self.cache.get(key, CachedTick(key, None, False)) for key in keys]

    def tick(self, key: str, ltp: int, session: str = "2033-05-18") -> Tick:
        return Tick(key, ltp, received_at=self.us(), traded_at=self.us(), session=session)

    def store(self, key: str, ltp: int, *, covered: bool = True) -> None:
        self.cache[key] = CachedTick(key, self.tick(key, ltp), covered)

    def apply(self, *ticks: Tick, phase: str = "continuous") -> None:
        self.prices.apply(Batch("e", 1, self.us(), "live", 1, "simulator", {"NSE_EQ": phase}, list(ticks)))

    def quotes(self, *keys: str) -> list[tuple[int | None, str]]:
        return [(quote.tick and quote.tick.ltp, quote.state) for quote in self.prices.quotes(keys)]

    def last_known(self, *keys: str) -> list[tuple[int | None, str]]:
        return [(quote.tick and quote.tick.ltp, quote.state) for quote in self.prices.last_known(keys)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_unknown_instrument_is_read_once_and_then_follows_the_batches(desk: Desk) -> None:
    desk.store(KEY, 100)
    desk.apply()
    for _ in range(3):
        assert desk.quotes(KEY) == [(100, "live")]
    assert desk.reads == [[KEY]]
    desk.apply(desk.tick(KEY, 101))
    assert desk.quotes(KEY) == [(101, "live")]
    assert desk.reads == [[KEY]]


def test_quotes_are_returned_in_the_order_of_the_keys(desk: Desk) -> None:
    keys = ["NSE_EQ:3", "NSE_EQ:1", "NSE_EQ:2"]
    assert [quote.key for quote in desk.prices.quotes(keys)] == keys
    assert desk.reads == [keys]


def test_without_the_cache_nothing_raises_and_missing_prices_are_read_when_it_is_back(desk: Desk) -> None:
    before = metrics.value("snapshots_failed")
    desk.apply(desk.tick(KEY, 100))
    desk.prices.reread_when_due()
    desk.cache_down = True
    assert desk.quotes(KEY, OTHER) == [(100, "live"), (None, "unknown")]
    assert metrics.value("snapshots_failed") == before + 1
    desk.cache_down = False
    desk.store(OTHER, 200)
    desk.s += 1.9
    desk.prices.reread_when_due()
    assert desk.last_known(OTHER) == [(None, "unknown")]
    desk.s += 0.2
    desk.prices.reread_when_due()
    assert desk.last_known(OTHER) == [(200, "live")]
    assert desk.changed[-1] == OTHER


def test_last_known_never_reads_the_cache(desk: Desk) -> None:
    assert desk.last_known(KEY) == [(None, "unknown")]
    assert desk.reads == []


def test_an_instrument_that_was_not_shown_for_20_seconds_is_read_again(desk: Desk) -> None:
    """It may have been unsubscribed."""
    desk.apply(desk.tick(KEY, 100))
    desk.store(KEY, 100, covered=False)
    desk.s += 19.9
    desk.apply()
    assert desk.quotes(KEY) == [(100, "live")]
    desk.prices.refresh()
    desk.s += 10.1
    desk.prices.refresh()
    desk.apply()
    assert desk.quotes(KEY) == [(100, "stale")]
    assert desk.reads == [[KEY]]


def test_an_instrument_of_an_open_view_is_not_read_again(desk: Desk) -> None:
    desk.views[KEY] = None
    desk.apply(desk.tick(KEY, 100))
    desk.s += 50
    desk.apply()
    assert desk.quotes(KEY) == [(100, "live")]
    assert desk.reads == []


def test_changes_are_reported_to_the_views(desk: Desk) -> None:
    desk.views[KEY] = None
    desk.apply(desk.tick(KEY, 100))
    assert desk.changed == [KEY]
    desk.s += 61
    desk.apply()
    desk.prices.refresh()
    assert desk.changed == [KEY, KEY]
    assert desk.last_known(KEY) == [(100, "quiet")]


def test_a_repair_reads_shown_instruments_and_forgets_all_others(desk: Desk) -> None:
    desk.apply(desk.tick(KEY, 100), desk.tick(OTHER, 200))
    desk.views[OTHER] = None
    desk.store(OTHER, 222)
    desk.s += 1
    desk.prices.repair()
    assert desk.reads == [[OTHER]]
    assert desk.last_known(KEY, OTHER) == [(None, "unknown"), (222, "live")]
    assert desk.changed[-1] == OTHER


def test_a_repair_without_the_cache_raises_and_forgets_nothing(desk: Desk) -> None:
    desk.apply(desk.tick(KEY, 100), desk.tick(OTHER, 200))
    desk.views[OTHER] = None
    desk.cache_down = True
    desk.s += 1
    with pytest.raises(StoreError):
        desk.prices.repair()
    assert desk.last_known(KEY, OTHER) == [(100, "live"), (200, "live")]


def test_shown_instruments_are_read_again_every_half_minute(desk: Desk) -> None:
    desk.views[KEY] = None
    desk.prices.reread_when_due()
    assert desk.reads == [[KEY]]
    desk.s += 29.9
    desk.prices.reread_when_due()
    assert desk.reads == [[KEY]]
    desk.s += 0.1
    desk.prices.reread_when_due()
    assert desk.reads == [[KEY], [KEY]]


def test_an_instrument_counts_as_shown_for_ten_seconds_after_a_page_needed_it(desk: Desk) -> None:
    desk.views[KEY] = None
    desk.prices.quotes([OTHER])
    desk.s += 10
    desk.prices.refresh()
    assert desk.prices.shown() == {KEY, OTHER}
    desk.s += 0.1
    desk.prices.refresh()
    assert desk.prices.shown() == {KEY}


def test_the_session_is_the_newest_of_shown_nse_shares_while_the_market_is_closed(desk: Desk) -> None:
    desk.views |= dict.fromkeys((KEY, OTHER, "IDX_I:13"))
    ticks = desk.tick(KEY, 100, "2033-05-17"), desk.tick(OTHER, 200), desk.tick("IDX_I:13", 300, "2033-05-19")
    desk.apply(*ticks)
    desk.prices.refresh()
    assert desk.prices.session == ""
    desk.apply(phase="closed")
    desk.prices.refresh()
    assert desk.prices.session == "2033-05-18"
