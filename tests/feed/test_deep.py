"""Instruments in full mode for their depth, over a scripted connection."""

from __future__ import annotations

from typing import Any

from ltp.core.ticks.depth import Level
from ltp.dhan.packets import Depth, FullPacket, encode

HDFC, TCS = "NSE_EQ:1333", "NSE_EQ:11536"
SUBSCRIBE, UNSUBSCRIBE = 15, 16
SUBSCRIBE_FULL, UNSUBSCRIBE_FULL = 21, 22


def full(bid: float) -> bytes:
    levels = (Depth(10, 0, 1, 0, bid, 0.0),) * 5
    return encode(
        FullPacket(1, 1333, 100.0, 1, 1, 100.0, 1, 0, 0, 0, 0, 0, 100.0, 100.0, 100.0, 100.0, levels)
    )


def test_the_depth_of_deep_instruments_comes_once_and_newest(feed_world: Any):
    feed_world.sessions = [
        [*feed_world.prices(1.0), (3.0, full(99.0)), (3.1, full(99.5)), *feed_world.prices(9.0)]
    ]
    taken: list[Any] = []
    feed_world.at(2.0, lambda: feed_world.supervisor.set_deep([HDFC]))
    feed_world.at(4.0, lambda: taken.append(feed_world.supervisor.take_depths()))
    feed_world.at(5.0, lambda: taken.append(feed_world.supervisor.take_depths()))
    feed_world.at(6.0, lambda: feed_world.supervisor.set_deep([]))
    feed_world.run(10, (HDFC, TCS))
    client = feed_world.clients[0]
    assert [code["RequestCode"] for code in client.sent[:5]] == [15, 16, 21, 22, 15]
    assert client.requested(SUBSCRIBE_FULL) == client.requested(UNSUBSCRIBE_FULL) == [HDFC]
    [[depth], later] = taken
    assert (depth.key, depth.bids[0], later) == (HDFC, Level(995_000, 10, 1), [])
    assert feed_world.supervisor.take_depths() == []


def test_a_new_connection_subscribes_deep_instruments_in_full_mode_at_once(feed_world: Any):
    feed_world.sessions = [[*feed_world.prices(1.0), feed_world.drop(2.0)], [*feed_world.prices(1.0)]]
    feed_world.supervisor.set_deep([HDFC])
    feed_world.run(8, (HDFC, TCS))
    assert len(feed_world.clients) == 2
    for client in feed_world.clients:
        assert (client.requested(SUBSCRIBE), client.requested(SUBSCRIBE_FULL)) == ([TCS], [HDFC])


def test_a_full_subscription_that_was_lost_is_sent_again(feed_world: Any):
    feed_world.sessions = [[*feed_world.prices(*(float(at) for at in range(1, 40)), security_id=11536)]]
    feed_world.at(0.5, lambda: feed_world.supervisor.set_deep([HDFC]))
    feed_world.run(30, (HDFC, TCS))
    assert feed_world.clients[0].requested(SUBSCRIBE_FULL) == [HDFC, HDFC]


def test_a_mode_of_its_own_is_switched_to_and_back_and_depth_comes_first(feed_world: Any):
    feed_world.sessions = [[*feed_world.prices(*(float(at) for at in range(1, 12)))]]
    supervisor = feed_world.supervisor
    feed_world.at(2.0, lambda: supervisor.set_modes({HDFC: "quote", "NSE_EQ:9": "full"}))
    feed_world.at(4.0, lambda: supervisor.set_deep([HDFC]))
    feed_world.at(6.0, lambda: supervisor.set_deep([]))
    modes: list[Any] = []
    feed_world.at(7.5, lambda: modes.append(supervisor.subscribed()))
    feed_world.at(8.0, lambda: supervisor.set_modes({}))
    feed_world.run(11, (HDFC, TCS))
    codes = [message["RequestCode"] for message in feed_world.clients[0].sent]
    assert codes[:9] == [15, 16, 17, 18, 21, 22, 17, 18, 15]
    assert modes == [({HDFC: "quote", TCS: "ticker"}, {HDFC})]
    assert supervisor.subscribed() == ({}, frozenset())
