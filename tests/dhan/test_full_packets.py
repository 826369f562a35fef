"""Which full packets the protocol keeps, and that it subscribes their instruments in full mode."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.dhan import requests
from ltp.dhan.codes import Mode
from ltp.dhan.packets import Depth, FullPacket, QuotePacket, encode
from ltp.dhan.protocol import Protocol

AT = 1795408200_123456
LTT = 1795428000
HDFC, RELIANCE, NIFTY = "NSE_EQ:1333", "NSE_EQ:2885", "IDX_I:13"


def full(security_id: int, ltp: float = 100.0) -> bytes:
    level = Depth(10, 20, 1, 2, ltp - 0.05, ltp)
    return encode(
        FullPacket(1, security_id, ltp, 1, LTT, ltp, 7, 0, 0, 0, 0, 0, ltp, ltp, ltp, ltp, (level,) * 5)
    )


def quote(security_id: int) -> bytes:
    return encode(QuotePacket(1, security_id, 100.0, 1, LTT, 100.0, 7, 0, 0, 100.0, 100.0, 100.0, 100.0))


def protocol(*keys: str, mode: Mode = "quote") -> Protocol:
    made = Protocol(mode)
    made.subscribe(keys)
    made.messages_to_send()
    return made


def sent(feed: Protocol) -> list[tuple[str, str | None, tuple[str, ...]]]:
    return [tuple(requests.parse(message)) for message in feed.messages_to_send()]  # type: ignore[misc]


def test_a_deep_instrument_leaves_its_mode_before_it_enters_the_full_one_and_back() -> None:
    feed = protocol(HDFC, RELIANCE)
    assert feed.deepen([HDFC]) == [HDFC]
    assert sent(feed) == [("unsubscribe", "quote", (HDFC,)), ("subscribe", "full", (HDFC,))]
    assert feed.deepen([HDFC]) == []
    assert sent(feed) == []
    assert feed.deepen([]) == [HDFC]
    assert sent(feed) == [("unsubscribe", "full", (HDFC,)), ("subscribe", "quote", (HDFC,))]
    assert feed.sent == feed.wanted == {HDFC, RELIANCE}


def test_an_instrument_that_is_deep_before_it_is_subscribed_is_subscribed_once() -> None:
    feed = Protocol("ticker")
    assert feed.deepen([HDFC]) == []
    feed.subscribe([HDFC, RELIANCE])
    assert sent(feed) == [("subscribe", "ticker", (RELIANCE,)), ("subscribe", "full", (HDFC,))]
    feed.unsubscribe([HDFC])
    assert sent(feed) == [("unsubscribe", "full", (HDFC,))]


def test_a_change_of_mind_before_sending_sends_nothing() -> None:
    feed = protocol(HDFC)
    feed.deepen([HDFC])
    feed.deepen([])
    assert sent(feed) == []


def test_a_lost_subscription_is_repeated_in_full_mode() -> None:
    feed = protocol(HDFC)
    feed.deepen([HDFC])
    feed.messages_to_send()
    feed.ask_again([HDFC])
    assert sent(feed) == [("subscribe", "full", (HDFC,))]
    feed.deepen([])
    assert sent(feed) == [("unsubscribe", "full", (HDFC,)), ("subscribe", "quote", (HDFC,))]


@pytest.mark.parametrize("mode", ["quote", "full", "ticker"])
def test_an_index_keeps_its_mode(mode: Mode) -> None:
    feed = protocol(NIFTY, mode=mode)
    assert feed.deepen([NIFTY]) == []
    assert sent(feed) == []


def test_where_every_instrument_is_in_full_mode_nothing_is_sent() -> None:
    feed = protocol(HDFC, mode="full")
    assert feed.deepen([HDFC]) == []
    assert sent(feed) == []
    feed.receive([full(1333)], AT)
    assert feed.full_packets.take() == [(HDFC, AT, full(1333))]


def test_the_change_of_mode_makes_no_price_unknown_and_waits_for_a_packet() -> None:
    feed = protocol(HDFC)
    feed.receive([quote(1333)], AT)
    feed.deepen([HDFC])
    assert (feed.seen, feed.priced) == (set(), {HDFC})
    assert [tick[1] for tick in feed.receive([full(1333)], AT)] == [1_000_000]
    assert feed.seen == {HDFC}


def test_the_newest_packet_of_each_deep_instrument_is_kept_once() -> None:
    feed = protocol(HDFC, RELIANCE)
    feed.receive([full(1333)], AT)
    assert feed.full_packets.take() == []
    feed.deepen([HDFC])
    feed.receive([full(1333, 100.0), full(2885), quote(1333), full(1333, 101.0) + quote(2885)], AT)
    assert feed.full_packets.take() == [(HDFC, AT, full(1333, 101.0))]
    assert feed.full_packets.take() == []


@pytest.mark.parametrize("gap", [0, 2, 4])
def test_packets_of_a_block_are_kept(gap: int) -> None:
    feed = protocol(HDFC, RELIANCE)
    feed.deepen([RELIANCE])
    packets = [full(2885, 100.0), full(1333), full(2885, 102.0), full(1333)]
    block = b"".join(b"\x82" * gap + packet for packet in packets)
    for now in (AT, AT + 1):  # the first packet of an instrument is read in another way than later ones
        ticks = feed.receive([(block, gap, len(packets[0]))], now)
        assert len(ticks) == 4
        assert feed.full_packets.take() == [(RELIANCE, now, packets[2])]


def test_blocks_of_quotes_are_kept_by_nobody() -> None:
    feed = protocol(HDFC)
    feed.deepen([HDFC])
    feed.receive([(quote(1333) * 3, 0, 50)], AT)
    assert feed.full_packets.take() == []


def test_the_first_packet_after_a_change_of_mode_is_seen_also_of_a_known_instrument() -> None:
    """Were it not, the subscription would be sent again after 18 s and the instrument listed as never ticked."""
    feed = protocol(HDFC)
    feed.messages_to_send()
    block = [(quote(1333) * 2, 0, 50)]
    feed.receive(block, AT)
    for mode in ("full", "quote"):
        feed.deepen([HDFC] if mode == "full" else [])
        feed.messages_to_send()
        assert HDFC not in feed.seen
    feed.receive(block, AT)
    assert HDFC in feed.seen


steps = st.lists(
    st.tuples(
        st.sampled_from(["subscribe", "unsubscribe", "deepen", "in ticker", "in full", "ask again", "send"]),
        st.lists(st.sampled_from([NIFTY, HDFC, RELIANCE]), max_size=3),
    ),
    max_size=12,
)


@given(steps, st.sampled_from(["ticker", "quote", "full"]))
def test_the_broker_always_ends_up_with_each_instrument_in_one_right_mode(
    steps: Iterable[tuple[str, list[str]]], mode: Mode
) -> None:
    feed, deep, own = Protocol(mode), set[str](), dict[str, Any]()
    broker: dict[str, str | None] = {}
    for step, keys in [*steps, ("send", [])]:
        if step == "subscribe":
            feed.subscribe(keys)
        elif step == "unsubscribe":
            feed.unsubscribe(keys)
        elif step == "ask again":
            for key in feed.sent & set(keys):
                broker.pop(key)  # it was lost
            feed.ask_again(keys)
        elif step == "deepen":
            deep = set(keys)
            feed.deepen(keys)
        elif step.startswith("in "):
            own = dict.fromkeys(keys, step.removeprefix("in "))
            feed.set_modes(own)
        else:
            for action, sent_mode, some in sent(feed):
                for key in some:
                    if action == "subscribe":
                        assert key not in broker
                        broker[key] = sent_mode
                    else:
                        assert broker.pop(key) == sent_mode
    right = {key: own.get(key, mode) for key in feed.wanted} | dict.fromkeys(
        feed.wanted & deep - {NIFTY}, "full"
    )
    if right.get(NIFTY) == "full":
        right[NIFTY] = "quote"  # an index has no depth
    assert broker == right == feed.sent_in
