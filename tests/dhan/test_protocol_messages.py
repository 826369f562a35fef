"""The messages that the client's side sends, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.ticks.tick import Tick
from ltp.dhan import requests
from ltp.dhan.packets import TickerPacket, encode
from ltp.dhan.protocol import Protocol
from ltp.errors import InputError

AT = 1795408200_123456
TICKER = TickerPacket(1, 1333, 1650.35, 1795428000)
TICK = Tick("NSE_EQ:1333", 16503500, 1795408200, AT)


def protocol(*keys):
    made = Protocol("quote")
    made.subscribe(keys)
    made.messages_to_send()
    return made


def parsed(messages):
    return [requests.parse(message) for message in messages]


def test_only_new_instruments_are_subscribed():
    feed = Protocol("quote")
    feed.subscribe(["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:1"])
    assert [request.keys for request in parsed(feed.messages_to_send())] == [("NSE_EQ:1", "NSE_EQ:2")]
    feed.subscribe(["NSE_EQ:2", "NSE_EQ:3"])
    assert [request.keys for request in parsed(feed.messages_to_send())] == [("NSE_EQ:3",)]
    feed.subscribe(["NSE_EQ:3"])
    assert feed.messages_to_send() == []


def test_a_hundred_a_message_in_the_order_of_the_calls():
    feed = Protocol("ticker")
    wanted = [f"NSE_EQ:{number}" for number in range(250, 0, -1)]
    feed.subscribe(wanted)
    messages = parsed(feed.messages_to_send())
    assert [len(request.keys) for request in messages] == [100, 100, 50]
    assert [key for request in messages for key in request.keys] == wanted
    assert {(request.action, request.mode) for request in messages} == {("subscribe", "ticker")}


def test_wanted_sent_and_seen_are_three_steps():
    feed = Protocol("quote")
    feed.subscribe(["NSE_EQ:1333"])
    assert (feed.wanted, feed.sent, feed.seen) == ({"NSE_EQ:1333"}, set(), set())
    feed.messages_to_send()
    assert (feed.sent, feed.seen) == ({"NSE_EQ:1333"}, set())
    feed.receive([encode(TICKER)], AT)
    assert feed.seen == {"NSE_EQ:1333"}


def test_unsubscribing_gives_up_and_late_packets_are_dropped():
    feed = protocol("NSE_EQ:1333", "NSE_EQ:2885")
    feed.receive([encode(TICKER)], AT)
    feed.unsubscribe(["NSE_EQ:1333", "NSE_EQ:777"])
    (request,) = parsed(feed.messages_to_send())
    assert (request.action, request.mode, request.keys) == ("unsubscribe", "quote", ("NSE_EQ:1333",))
    assert (feed.wanted, feed.sent, feed.seen) == ({"NSE_EQ:2885"}, {"NSE_EQ:2885"}, set())
    assert feed.receive([encode(TICKER)], AT) == []
    assert feed.counters == {"unwanted": 1}


def test_a_change_of_mind_before_sending_sends_nothing():
    feed = protocol("NSE_EQ:1333")
    feed.unsubscribe(["NSE_EQ:1333"])
    feed.subscribe(["NSE_EQ:1333", "NSE_EQ:2885"])
    feed.unsubscribe(["NSE_EQ:2885"])
    assert feed.messages_to_send() == []
    assert feed.receive([encode(TICKER)], AT) == [TICK]


def test_an_instrument_wanted_again_is_subscribed_in_its_new_place():
    feed = protocol("NSE_EQ:1", "NSE_EQ:2")
    feed.unsubscribe(["NSE_EQ:1"])
    feed.messages_to_send()
    feed.subscribe(["NSE_EQ:3", "NSE_EQ:1"])
    assert [request.keys for request in parsed(feed.messages_to_send())] == [("NSE_EQ:3", "NSE_EQ:1")]


def test_unsubscriptions_come_before_subscriptions():
    feed = protocol("NSE_EQ:1")
    feed.subscribe(["NSE_EQ:2"])
    feed.unsubscribe(["NSE_EQ:1"])
    assert [request.action for request in parsed(feed.messages_to_send())] == ["unsubscribe", "subscribe"]


def test_disconnect_comes_last_and_once():
    feed = protocol("NSE_EQ:1")
    feed.disconnect()
    feed.unsubscribe(["NSE_EQ:1"])
    assert [request.action for request in parsed(feed.messages_to_send())] == ["unsubscribe", "disconnect"]
    assert feed.messages_to_send() == []


def test_indices_are_subscribed_as_quotes_in_full_mode():
    feed = Protocol("full")
    feed.subscribe(["NSE_EQ:13", "IDX_I:13"])
    assert {(request.mode, request.keys) for request in parsed(feed.messages_to_send())} == {
        ("quote", ("IDX_I:13",)),
        ("full", ("NSE_EQ:13",)),
    }
    feed.unsubscribe(["IDX_I:13"])
    assert [(request.mode, request.keys) for request in parsed(feed.messages_to_send())] == [
        ("quote", ("IDX_I:13",))
    ]


def test_a_malformed_key_changes_nothing():
    feed = Protocol("quote")
    with pytest.raises(InputError, match="NSE_COMM:1"):
        feed.subscribe(["NSE_EQ:1", "NSE_COMM:1"])
    assert feed.wanted == set()
    assert feed.messages_to_send() == []


steps = st.lists(
    st.tuples(
        st.sampled_from(["subscribe", "unsubscribe", "send"]),
        st.lists(st.sampled_from(["IDX_I:13", "NSE_EQ:13", "NSE_EQ:1333"]), max_size=4),
    ),
    max_size=12,
)


@given(steps)
def test_the_broker_always_ends_up_with_the_wanted_instruments(steps):
    feed, broker, wanted = Protocol("quote"), set(), set()
    for step, keys in [*steps, ("send", [])]:
        if step == "subscribe":
            feed.subscribe(keys)
            wanted |= set(keys)
        elif step == "unsubscribe":
            feed.unsubscribe(keys)
            wanted -= set(keys)
        else:
            for request in parsed(feed.messages_to_send()):
                change = set(request.keys)
                assert change.isdisjoint(broker) if request.action == "subscribe" else change <= broker
                broker ^= change
            assert broker == wanted == feed.wanted == feed.sent
