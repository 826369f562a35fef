"""What a tick makes of an instrument: the shortcut of the hot loop says what the one rule on states says."""

from __future__ import annotations

import random

import pytest

from ltp.core.ticks.tick import LIVE_FOR_S, Tick, state
from ltp.hub.entry import Entry, FeedState, take

NOW_S = 2_000_000_000.0
NOW = int(NOW_S * 1e6)
LIMIT = NOW - int(LIVE_FOR_S * 1e6)
KEY = "NSE_EQ:1"


@pytest.mark.parametrize("seed", range(20))
def test_the_state_after_a_batch_is_the_one_of_the_rule(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(200):
        linked, feed = chance.random() < 0.9, chance.choice(("live", "live", "silent", "down", "off"))
        since, closed = chance.choice((0, NOW - 5, NOW)), chance.choice((frozenset(), frozenset({"NSE_EQ"})))
        moment = FeedState(NOW_S, linked, feed, since, closed, NOW)
        ltp, rest = chance.choice((None, 100, 100)), chance.random() < 0.2
        traded_at = LIMIT + chance.randint(-2, 2) if chance.random() < 0.5 else NOW
        tick = Tick(KEY, ltp, received_at=NOW - chance.randint(0, 9), traded_at=traded_at, rest=rest)
        entries = {KEY: Entry(KEY)}
        take(entries, [tick], moment, 0)
        open_ = not (linked and closed)
        covered = 0 < since <= tick.received_at
        expected = state(tick, now=NOW_S, feed=feed if linked else "down", open_=open_, covered=covered)
        assert entries[KEY].quote.state == expected, (tick, moment)


def test_versions_rise_by_one_with_each_change_of_a_batch() -> None:
    ticks = [Tick(f"NSE_EQ:{id_}", 100, received_at=NOW, traded_at=NOW) for id_ in (1, 2, 2, 3)]
    entries = {tick.key: Entry(tick.key) for tick in ticks}
    moment = FeedState(NOW_S, True, "live", 1, frozenset(), NOW)
    assert take(entries, ticks, moment, 7) == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]
    assert [entry.quote.version for entry in entries.values()] == [8, 9, 10]


def test_a_price_without_a_trade_time_is_not_dated_by_the_trade_before() -> None:
    entries = {KEY: Entry(KEY)}
    moment = FeedState(NOW_S, True, "live", 1, frozenset(), NOW)
    dated = Tick(KEY, 100, 5, NOW, 1, 2, 3, 4, 5, 6, "2033-05-18", 5_000_000)
    untimed = dated._replace(ltp=101, ltt=None, volume=2, traded_at=NOW)
    undated = untimed._replace(ltp=102, traded_at=0)
    for tick, traded_s in ((dated, 5.0), (untimed, NOW / 1e6), (undated, None)):
        take(entries, [tick], moment, 0)
        shown = entries[KEY].quote.tick
        assert shown is not None
        assert (shown.traded.timestamp() if shown.traded else None) == traded_s


@pytest.mark.parametrize("name", ["volume", "open", "high", "low", "prev_close", "oi", "ltt"])
def test_each_field_that_is_not_mentioned_is_carried_over_and_each_that_changes_is_a_change(
    name: str,
) -> None:
    entries = {KEY: Entry(KEY)}
    moment = FeedState(NOW_S, True, "live", 1, frozenset(), NOW)
    full = Tick(KEY, 100, 5, NOW, 1, 2, 3, 4, 5, 6, "2033-05-18", NOW)
    take(entries, [full], moment, 0)
    without = full._replace(**{name: None})
    assert take(entries, [without], moment, 1) == []
    assert entries[KEY].quote.tick == (without if name == "ltt" else full)
    seen = take(entries, [full._replace(**{name: 99})], moment, 1)
    assert seen == ([] if name == "ltt" else [KEY])
    assert entries[KEY].quote.tick == full._replace(**{name: 99})
