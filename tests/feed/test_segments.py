"""A segment that falls silent while others go on, and prices that come late, over the feed's whole life."""

from __future__ import annotations

from typing import Any

import pytest

NSE, INDEX, MCX = (1, 1333), (0, 13), (5, 464_924)
KEYS = ("IDX_I:13", "NSE_EQ:1333", "MCX_COMM:464924")
SUBSCRIBE, UNSUBSCRIBE = 15, 16


def pings(until: int) -> list[tuple[float, object]]:
    return [(float(at), "ping") for at in range(0, until, 5)]


def silence_of(world: Any, until: int) -> list[tuple[int, tuple[str, ...]]]:
    """Look each second; return each change of the silent segments."""
    looks: list[tuple[int, tuple[str, ...]]] = [(0, ())]

    def look(at: int) -> None:
        silent = world.supervisor.status().silent
        if silent != looks[-1][1]:
            looks.append((at, silent))

    for at in range(1, until):
        world.at(at, lambda at=at: look(at))
    return looks


def test_a_mute_socket_in_the_evening_is_shown_and_given_up(feed_world: Any):
    """Only commodities trade then: NIFTY and RELIANCE prove nothing."""
    feed_world.in_session, feed_world.judged = False, frozenset({"MCX_COMM"})
    feed_world.sessions = [[*feed_world.trades(1, 60, MCX), *pings(200)], [*feed_world.trades(1, 60, MCX)]]
    looks = silence_of(feed_world, 120)
    feed_world.run(120, KEYS[2:])
    assert [feed for _, feed in feed_world.changes][:4] == ["down", "live", "silent", "down"]
    assert 69 <= looks[1][0] <= 72
    assert looks[1][1] == ("MCX_COMM",)
    assert 84 <= feed_world.connects[1] <= 88
    assert looks[2][1] == ()


def test_a_frozen_segment_is_subscribed_anew_and_then_given_up_while_another_ticks(feed_world: Any):
    feed_world.judged = frozenset({"NSE_EQ", "IDX_I"})
    feed_world.sessions = [
        [*feed_world.trades(1, 60, NSE, INDEX), *feed_world.trades(60, 300, INDEX)],
        [*feed_world.trades(1, 300, NSE, INDEX)],
    ]
    looks = silence_of(feed_world, 150)
    feed_world.run(150, KEYS[:2])
    assert looks[1][1] == ("NSE_EQ",)
    assert 69 <= looks[1][0] <= 72
    first = feed_world.clients[0]
    assert first.requested(UNSUBSCRIBE)[:1] == ["NSE_EQ:1333"]
    assert first.requested(SUBSCRIBE) == ["IDX_I:13", "NSE_EQ:1333", "NSE_EQ:1333"]
    assert 84 <= feed_world.connects[1] <= 88
    assert [feed for _, feed in feed_world.changes] == ["down", "live", "down", "live", "off"]
    assert feed_world.supervisor.status().last_error.startswith(
        "NSE_EQ is open and no price of it came for 2"
    )
    assert len(feed_world.connects) == 2


def test_the_answer_to_the_new_subscription_is_no_sign_of_life(feed_world: Any):
    feed_world.judged = frozenset({"NSE_EQ", "IDX_I"})
    answer = feed_world.prices(73.0)
    feed_world.sessions = [
        [*feed_world.trades(1, 60, NSE, INDEX), *feed_world.trades(60, 300, INDEX), *answer],
        [],
    ]
    looks = silence_of(feed_world, 84)
    feed_world.run(84, KEYS[:2])
    assert [silent for _, silent in looks] == [(), ("NSE_EQ",)]


def test_a_segment_that_stays_silent_costs_the_others_fewer_and_fewer_gaps(feed_world: Any):
    """Its trading may be halted."""
    feed_world.judged = frozenset({"NSE_EQ", "MCX_COMM"})
    feed_world.sessions = [
        [*feed_world.trades(1, 60, NSE, MCX), *feed_world.trades(60, 4000, MCX)],
        [*feed_world.trades(1, 4000, MCX)],
    ]
    looks = silence_of(feed_world, 3000)
    feed_world.run(3000, ("NSE_EQ:1333", "MCX_COMM:464924"))
    gaps = [
        later - earlier
        for earlier, later in zip(feed_world.connects[1:], feed_world.connects[2:], strict=False)
    ]
    assert [round(gap / 60) for gap in gaps] == [2, 4, 8, 16, 16]
    assert looks[-1][1] == ("NSE_EQ",)


@pytest.mark.parametrize("judged", [frozenset(), frozenset({"IDX_I"})])
def test_where_silence_is_normal_none_is_found(feed_world: Any, judged: frozenset[str]):
    """As in the closing auction, and in a segment that is closed."""
    feed_world.judged = judged
    feed_world.sessions = [[*feed_world.trades(1, 60, NSE, INDEX), *feed_world.trades(60, 300, INDEX)], []]
    looks = silence_of(feed_world, 300)
    feed_world.run(300, KEYS[:2])
    assert looks == [(0, ())]
    assert len(feed_world.connects) == 1


def test_a_segment_that_ticks_seldom_is_not_silent_between_its_ticks(feed_world: Any):
    feed_world.judged = frozenset({"NSE_EQ", "MCX_COMM"})
    seldom = [step for at in range(20, 400, 20) for step in feed_world.trades(at, at + 1, MCX)]
    feed_world.sessions = [[*feed_world.trades(1, 900, NSE), *seldom], []]
    looks = silence_of(feed_world, 700)
    feed_world.run(700, ("NSE_EQ:1333", "MCX_COMM:464924"))
    assert [silent for _, silent in looks] == [(), ("MCX_COMM",)]
    assert 578 <= looks[1][0] <= 585  # ten ticks are missing


def test_prices_that_come_late_are_measured_by_segment(feed_world: Any):
    feed_world.sessions = [[*feed_world.trades(1, 60, NSE, late_s=150.0), *feed_world.trades(1, 60, MCX)], []]
    lags: list[Any] = []
    feed_world.at(30, lambda: lags.append(feed_world.supervisor.status().lags))
    feed_world.run(40, ("NSE_EQ:1333", "MCX_COMM:464924"))
    assert lags[0]["NSE_EQ"].told_s == 150
    assert 150 <= lags[0]["NSE_EQ"].median_s <= 151
    assert lags[0]["MCX_COMM"].told_s == 0
