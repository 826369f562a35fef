"""The state of a price on the board is that of core.ticks.state.state, by whichever way the price came; the
other changes that a tick makes to an instrument.

Two loops repeat part of that rule for speed: `take` for each tick, `vouch` for each price of an API call.
Every combination of inputs is compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.state import FeedState, state
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, LIVE_FOR_S, Feed, State, Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.board import Board
from ltp.hub.entry import Entry, outdated, show, take, vouch

KEY = "NSE_EQ:1"
NOW_S = 2_000_000_000.0
NOW = int(NOW_S * 1e6)
LIMIT = NOW - int(LIVE_FOR_S * 1e6)  # a trade before this instant is quiet
SINCE = NOW - 500
DOUBT = "delayed by 1 min"
FEEDS: tuple[Feed, ...] = ("live", "silent", "down", "off")


class Case(NamedTuple):
    tick: Tick | None
    feed: FeedState
    key_lives: bool  # the `ltp:` key exists: read from the cache, the price is covered only then

    def state(self, *, covered: bool = True) -> State:
        """What the rule gives; `covered`: without looking at the connection."""
        feed = self.feed
        received_at = self.tick.received_at if self.tick else 0
        return state(
            self.tick,
            now=NOW_S,
            linked=feed.linked,
            feed=feed.feed,
            open_="NSE_EQ" not in feed.closed,
            covered=covered and feed.since > 0 and received_at >= feed.since,
            doubted="NSE_EQ" in feed.doubts,
        )

    def doubt(self, of: State) -> str:
        shown = of == "stale" and self.feed.linked and self.feed.feed == "live"
        return DOUBT if shown and self.feed.doubts else ""


def ticks() -> Iterator[Tick | None]:
    yield None
    traded = [LIMIT - 2, LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2, SINCE, NOW, NOW + 5, 0]
    received = [SINCE - 1, SINCE, SINCE + 1, NOW]
    for ltp, traded_at, received_at, rest in itertools.product((None, 100), traded, received, (False, True)):
        yield Tick(KEY, ltp, received_at=received_at, traded_at=traded_at, rest=rest)


def cases(linked: bool, feed: Feed) -> Iterator[Case]:
    closed: tuple[frozenset[str], ...] = (frozenset(), frozenset({"NSE_EQ"}), frozenset({"MCX_COMM"}))
    doubts: tuple[dict[str, str], ...] = ({}, {"NSE_EQ": DOUBT})
    for tick, since, shut, doubt, key_lives in itertools.product(
        ticks(), (0, SINCE), closed, doubts, (False, True)
    ):
        yield Case(tick, FeedState(NOW_S, linked, feed, since, shut, doubt), key_lives)


every_feed = pytest.mark.parametrize(("linked", "feed"), list(itertools.product((True, False), FEEDS)))


def both(quote: Quote) -> tuple[State, str]:
    return quote.state, quote.doubt


@every_feed
def test_a_tick_of_a_batch(linked: bool, feed: Feed) -> None:
    for case in cases(linked, feed):
        if case.tick is not None:
            entries = {KEY: Entry(KEY, "0")}
            take(entries, [case.tick], case.feed, NOW, 0)
            assert both(entries[KEY].quote) == (case.state(), case.doubt(case.state())), case


@every_feed
def test_a_quote_worked_out_again(linked: bool, feed: Feed) -> None:
    for case in cases(linked, feed):
        entry = Entry(KEY, "0")
        entry.covered = case.feed.covers(case.tick)
        show(entry, case.tick, case.feed, NOW, 1)
        assert both(entry.quote) == (case.state(), case.doubt(case.state())), case
        assert outdated([entry], case.feed) == []


@every_feed
def test_a_quote_is_late_if_the_rule_gives_another_state(linked: bool, feed: Feed) -> None:
    for case, before in itertools.product(cases(linked, feed), ("live", "quiet", "stale", "closed")):
        entry = Entry(KEY, "0")
        entry.covered = case.feed.covers(case.tick)
        entry.quote = entry.quote._replace(tick=case.tick, state=before, doubt=case.doubt(case.state()))
        assert outdated([entry], case.feed) == [entry] * (before != case.state()), (case, before)


@pytest.mark.parametrize("before", ["live", "quiet", "stale", "closed"])
def test_a_price_of_an_api_call(before: State) -> None:
    """Only prices of a live connection are vouched for. A trade exactly at the limit, where dividing floats
    decides, may count either way.
    """
    for case in cases(True, "live"):
        entry = Entry(KEY, "0")
        entry.covered = case.feed.covers(case.tick)
        entry.quote = entry.quote._replace(tick=case.tick, state=before)
        vouched = vouch({KEY: entry}, [KEY], case.feed)
        if case.tick is None or case.tick.ltp is None or case.tick.rest:
            assert vouched is None
            continue
        assert vouched is not None
        assert vouched.covered == (entry.covered and not case.feed.doubts)
        if case.tick.traded_at != LIMIT:
            assert vouched.outdated == [KEY] * (before != case.state()), case


@every_feed
def test_a_price_read_from_the_cache_before_or_after_the_batch(linked: bool, feed: Feed) -> None:
    for case in cases(linked, feed):
        passed = [0.0]
        for first in ("batch", "cache"):
            board = Board(lambda: NOW_S, lambda: passed[0])  # noqa: B023
            passed[0] = 0.0
            phase = dict.fromkeys(case.feed.closed, "closed")
            batch = Batch("e", 1, NOW, feed, case.feed.since, "simulator", phase, [], case.feed.doubts)
            known = [CachedTick(KEY, case.tick, case.key_lives)]
            if first == "cache":
                board.load(known)
            board.apply(batch, {KEY})
            if first == "batch":
                board.load(known)
            passed[0] = 0.0 if linked else LINK_DEAD_AFTER_S + 0.1
            board.refresh([KEY])
            expected = case.state(covered=case.key_lives)
            assert both(board.get(KEY)) == (expected, case.doubt(expected)), (first, case)


def test_versions_rise_by_one_with_each_change_of_a_batch() -> None:
    ticks = [Tick(f"NSE_EQ:{id_}", 100, received_at=NOW, traded_at=NOW) for id_ in (1, 2, 2, 3)]
    entries = {tick.key: Entry(tick.key, "0") for tick in ticks}
    feed = FeedState(NOW_S, True, "live", 1, frozenset())
    assert take(entries, ticks, feed, NOW, 7) == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]
    assert [entry.quote.version for entry in entries.values()] == [8, 9, 10]


def test_a_price_without_a_trade_time_is_not_dated_by_the_trade_before() -> None:
    entries = {KEY: Entry(KEY, "0")}
    feed = FeedState(NOW_S, True, "live", 1, frozenset())
    dated = Tick(KEY, 100, 5, NOW, 1, 2, 3, 4, 5, 6, "2033-05-18", 5_000_000)
    untimed = dated._replace(ltp=101, ltt=None, volume=2, traded_at=NOW)
    undated = untimed._replace(ltp=102, traded_at=0)
    for tick, traded_s in ((dated, 5.0), (untimed, NOW / 1e6), (undated, None)):
        take(entries, [tick], feed, NOW, 0)
        shown = entries[KEY].quote.tick
        assert shown is not None
        assert (shown.traded.timestamp() if shown.traded else None) == traded_s


@pytest.mark.parametrize("name", ["volume", "open", "high", "low", "prev_close", "oi", "ltt"])
def test_each_field_that_is_not_mentioned_is_carried_over_and_each_that_changes_is_a_change(
    name: str,
) -> None:
    entries = {KEY: Entry(KEY, "0")}
    feed = FeedState(NOW_S, True, "live", 1, frozenset())
    full = Tick(KEY, 100, 5, NOW, 1, 2, 3, 4, 5, 6, "2033-05-18", NOW)
    take(entries, [full], feed, NOW, 0)
    without = full._replace(**{name: None})
    assert take(entries, [without], feed, NOW, 1) == []
    assert entries[KEY].quote.tick == (without if name == "ltt" else full)
    seen = take(entries, [full._replace(**{name: 99})], feed, NOW, 1)
    assert seen == ([] if name == "ltt" else [KEY])
    assert entries[KEY].quote.tick == full._replace(**{name: 99})
