"""The client's side of the feed: bytes in; ticks, events and messages out."""

import json
import struct
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.core.money import SCALE
from ltp.core.ticks.tick import Tick
from ltp.dhan.codes import SEGMENT_NUMBERS
from ltp.dhan.packets import (
    SIZES,
    Depth,
    DisconnectPacket,
    FullPacket,
    MarketStatusPacket,
    OpenInterestPacket,
    PrevClosePacket,
    QuotePacket,
    TickerPacket,
    encode,
)
from ltp.dhan.protocol import Block, Disconnected, Protocol

AT = 1795408200_123456  # received
LTT = 1795428000  # 2026-11-23 10:00:00 in India
TRADED = 1795408200
EMPTY_DEPTH = (Depth(0, 0, 0, 0, 0.0, 0.0),) * 5
FRAMES = json.loads((Path(__file__).parent / "fixtures" / "frames.json").read_text())

TICKER = TickerPacket(1, 1333, 1650.35, LTT)
QUOTE = QuotePacket(
    1, 1333, 1650.35, 25, LTT, 1649.9, 4512345, 812345, 645321, 1640.0, 1638.25, 1655.1, 1631.45
)
FULL = FullPacket(*QUOTE[:9], 987650, 0, 0, *QUOTE[9:], EMPTY_DEPTH)
TICK = Tick("NSE_EQ:1333", 16503500, TRADED, AT)
QUOTE_TICK = TICK._replace(volume=4512345, open=16400000, prev_close=16382500, high=16551000, low=16314500)


def protocol(*keys, mode="quote"):
    made = Protocol(mode)
    made.subscribe(keys or ["NSE_EQ:1333"])
    made.messages_to_send()
    return made


# Bytes to ticks


@pytest.mark.parametrize(
    ("packet", "tick"),
    [
        (TICKER, TICK),
        (QUOTE, QUOTE_TICK),
        (FULL, QUOTE_TICK._replace(oi=987650)),
        (OpenInterestPacket(1, 1333, 987650), Tick("NSE_EQ:1333", received_at=AT, oi=987650)),
        (PrevClosePacket(1, 1333, 1638.25, 42), Tick("NSE_EQ:1333", received_at=AT, prev_close=16382500)),
    ],
    ids=["ticker", "quote", "full", "open_interest", "prev_close"],
)
def test_each_packet_gives_its_tick(packet, tick):
    feed = protocol()
    assert feed.receive([encode(packet)], AT) == [tick]
    assert feed.receive([memoryview(encode(packet))], AT) == [tick]
    assert not feed.counters
    assert type(feed.receive([encode(packet)], AT)[0]) is Tick


def test_the_recorded_frame():
    recorded = next(frame for frame in FRAMES if frame["kind"] == "recorded")
    (tick,) = protocol("NSE_EQ:2885").receive([bytes.fromhex(recorded["hex"])], AT)
    assert tick == Tick(
        "NSE_EQ:2885", 13208000, int(datetime.fromisoformat(recorded["traded_at"]).timestamp()), AT
    )


def test_several_packets_in_one_message_keep_their_order():
    feed = protocol("NSE_EQ:1333", "NSE_EQ:2885")
    other = TICKER._replace(security_id=2885, ltp=1402.10)
    message = b"".join(
        map(encode, (TICKER, other, MarketStatusPacket(1, 0), OpenInterestPacket(1, 1333, 7), QUOTE))
    )
    assert feed.receive([message], AT) == [
        TICK,
        TICK._replace(key="NSE_EQ:2885", ltp=14021000),
        Tick("NSE_EQ:1333", received_at=AT, oi=7),
        QUOTE_TICK,
    ]


def test_the_same_id_in_two_segments_is_two_instruments():
    feed = protocol("IDX_I:13", "NSE_EQ:13")
    nifty, abb = TickerPacket(0, 13, 25910.05, LTT), TickerPacket(1, 13, 5123.5, LTT)
    ticks = feed.receive([encode(nifty) + encode(abb)], AT)
    assert [(tick.key, tick.ltp) for tick in ticks] == [("IDX_I:13", 259100500), ("NSE_EQ:13", 51235000)]


@pytest.mark.parametrize("security_id", [1, 2**24, 2**31, 2**32 - 1])
@pytest.mark.parametrize("segment", SEGMENT_NUMBERS)
def test_every_segment_and_width_of_id(segment, security_id):
    packet = TICKER._replace(segment=SEGMENT_NUMBERS[segment], security_id=security_id)
    (tick,) = protocol(f"{segment}:{security_id}").receive([encode(packet)], AT)
    assert tick.key == f"{segment}:{security_id}"


@pytest.mark.parametrize("segment", ["NSE_CURRENCY", "BSE_CURRENCY"])
def test_a_currency_has_four_decimals(segment):
    packet = QUOTE._replace(
        segment=SEGMENT_NUMBERS[segment], ltp=83.2475, open=83.0025, close=83.1, high=84.5, low=82.9975
    )
    (tick,) = protocol(f"{segment}:1333").receive([encode(packet)], AT)
    assert (tick.ltp, tick.open, tick.prev_close, tick.high, tick.low) == (
        832475,
        830025,
        831000,
        845000,
        829975,
    )


def test_a_price_too_coarse_for_float32_is_left_unsnapped():
    (tick,) = protocol().receive([encode(TICKER._replace(ltp=150000.05))], AT)
    assert tick.ltp == 1500000469  # 150000.046875: the neighbours are 1/64 rupee apart


def test_an_instrument_without_a_trade_has_no_ltt():
    feed = protocol()
    for ltt in (0, 315_532_800, 946_684_799):
        assert feed.receive([encode(TICKER._replace(ltt=ltt))], AT)[0].ltt is None


@pytest.mark.parametrize(
    "bad", [0.0, -1650.35, float("nan"), float("inf"), float("-inf"), 10_000_001.0, 1e-40]
)
@pytest.mark.parametrize("packet", [TICKER, QUOTE, FULL])
def test_a_price_that_is_never_shown_is_left_out_of_its_tick(packet, bad):
    feed = protocol()
    prices = [tick.ltp for tick in feed.receive([encode(packet._replace(ltp=bad)) + encode(packet)], AT)]
    assert prices == [None, 16503500]
    assert feed.counters == ({"bad_price": 1} if bad else {})  # an untraded instrument has a price of 0


def test_an_untraded_instrument_is_seen_without_being_priced():
    feed = protocol()
    (tick,) = feed.receive([encode(QUOTE._replace(ltp=0.0, ltt=0, volume=0))], AT)
    assert tick == QUOTE_TICK._replace(ltp=None, ltt=None, volume=0)
    assert (feed.seen, feed.priced) == ({"NSE_EQ:1333"}, set())
    assert feed.receive([encode(QUOTE)], AT) == [QUOTE_TICK]
    assert feed.priced == {"NSE_EQ:1333"}


def test_a_previous_close_that_is_never_shown_gives_no_tick():
    feed = protocol()
    assert feed.receive([encode(PrevClosePacket(1, 1333, 0.0, 0))], AT) == []
    assert feed.counters == {"bad_price": 1}


def test_a_mere_jump_is_a_price():
    feed = protocol()
    assert feed.receive([encode(TICKER._replace(ltp=10_000_000.0))], AT)[0].ltp == 10_000_000 * SCALE
    assert feed.receive([encode(TICKER._replace(ltp=0.01))], AT)[0].ltp == 100


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf"), 2e7])
@pytest.mark.parametrize(
    ("field", "attribute"), [("open", "open"), ("high", "high"), ("low", "low"), ("close", "prev_close")]
)
def test_a_bad_side_value_is_unknown_and_the_price_stands(field, attribute, bad):
    feed = protocol()
    assert feed.receive([encode(QUOTE._replace(**{field: bad}))], AT) == [
        QUOTE_TICK._replace(**{attribute: None})
    ]
    assert not feed.counters


def test_an_index_has_no_close_in_its_quote():
    feed = protocol("IDX_I:13")
    (tick,) = feed.receive([encode(QUOTE._replace(segment=0, security_id=13, close=0.0))], AT)
    assert (tick.prev_close, tick.ltp) == (None, 16503500)


def test_side_values_follow_every_change():
    """They are converted once and kept: another instrument's, or an earlier packet's, must never show
    through.
    """
    feed = protocol("NSE_EQ:1333", "NSE_EQ:2885")
    first = QUOTE._replace(open=0.0, high=0.0, low=0.0, close=0.0)
    seen = [
        feed.receive([encode(packet)], AT)[0].high
        for packet in (
            first,
            QUOTE,
            QUOTE._replace(security_id=2885, high=9.5),
            QUOTE,
            QUOTE._replace(high=1700.0),
            first,
        )
    ]
    assert seen == [None, 16551000, 95000, 16551000, 17000000, None]


# Packets that are no tick


def test_disconnect_is_an_event_and_the_rest_of_the_message_is_read():
    feed = protocol()
    assert feed.receive([encode(DisconnectPacket(0, 0, 805)) + encode(TICKER)], AT) == [TICK]
    assert feed.events() == [Disconnected(805)]
    assert feed.events() == []


def test_disconnect_that_names_a_wanted_instrument_is_still_one():
    feed = protocol()
    assert feed.receive([encode(DisconnectPacket(1, 1333, 807))], AT) == []
    assert feed.events() == [Disconnected(807)]


def test_market_status_gives_neither_tick_nor_event():
    feed = protocol()
    assert feed.receive([encode(MarketStatusPacket(1, 0))], AT) == []
    assert feed.events() == []
    assert not feed.counters


# The fast path: a message that is one more quote of an instrument with a price


def test_a_message_of_several_packets_is_not_taken_for_one_of_its_size():
    feed = protocol()
    feed.receive([encode(QUOTE), encode(FULL)], AT)
    message = encode(QUOTE) * 3 + encode(OpenInterestPacket(1, 1333, 7))
    assert len(message) == len(encode(FULL))
    assert feed.receive([message], AT) == [QUOTE_TICK] * 3 + [Tick("NSE_EQ:1333", received_at=AT, oi=7)]


@pytest.mark.parametrize("packet", [QUOTE, FULL])
def test_the_second_quote_is_read_as_the_first(packet):
    feed = protocol("NSE_EQ:1333", "NSE_CURRENCY:1333", "IDX_I:1333")
    for segment in (1, 3, 0):
        for changes in (
            {"ltp": 1402.1},
            {"ltp": 0.01},
            {"ltp": 150000.05},
            {"ltp": 1024.125},
            {"ltp": 83.2475},
            {"ltt": 0},
            {"ltt": LTT + 1},
            {"high": 2000.0, "low": 0.0},
            {"volume": 2**32 - 1},
        ):
            sent = encode(packet._replace(segment=segment, **changes))
            assert feed.receive([sent], AT) == protocol(
                "NSE_EQ:1333", "NSE_CURRENCY:1333", "IDX_I:1333"
            ).receive([sent], AT)
    assert not feed.counters


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 0.0, -1.0, 1e9, 0.001])
def test_a_second_quote_without_a_price_gives_its_other_fields(bad):
    feed = protocol()
    feed.receive([encode(QUOTE)], AT)
    unpriced = QUOTE_TICK._replace(ltp=None, ltt=None)
    assert feed.receive([encode(QUOTE._replace(ltp=bad)), encode(QUOTE)], AT) == [unpriced, QUOTE_TICK]
    assert feed.counters == ({"bad_price": 1} if bad else {})


def test_a_second_quote_that_is_damaged_is_counted():
    feed = protocol()
    feed.receive([encode(QUOTE)], AT)
    wrong = b"\x04\x00\x00" + encode(QUOTE)[3:]
    assert feed.receive([wrong], AT) == [QUOTE_TICK]
    assert feed.counters == {"wrong_length": 1}


def test_the_last_quotes_after_an_unsubscription_are_dropped_and_subscribing_again_starts_anew():
    feed = protocol()
    assert feed.receive([encode(QUOTE), encode(FULL)], AT)
    feed.unsubscribe(["NSE_EQ:1333"])
    assert feed.receive([encode(QUOTE), encode(FULL)], AT) == []
    assert (feed.counters, feed.seen) == ({"unwanted": 2}, set())
    feed.subscribe(["NSE_EQ:1333"])
    assert feed.receive([encode(QUOTE)], AT) == [QUOTE_TICK]
    assert feed.seen == {"NSE_EQ:1333"}


def test_packets_of_unwanted_instruments_are_dropped_and_counted():
    feed = protocol()
    for stranger in (
        TICKER._replace(security_id=2885),
        TICKER._replace(segment=6),
        QUOTE._replace(segment=0),
    ):
        assert feed.receive([encode(stranger)], AT) == []
    assert feed.counters == {"unwanted": 3}
    assert feed.seen == set()


@pytest.mark.parametrize("code", SIZES)
def test_truncation_at_every_length_is_counted(code):
    packets = (
        TICKER,
        QUOTE,
        FULL,
        OpenInterestPacket(1, 1333, 7),
        PrevClosePacket(1, 1333, 5.0, 0),
        MarketStatusPacket(1, 0),
        DisconnectPacket(0, 0, 805),
    )
    whole = next(encode(packet) for packet in packets if encode(packet)[0] == code)
    for length in range(len(whole)):
        feed = protocol()
        assert feed.receive([whole[:length]], AT) == []
        assert feed.events() == []
        assert feed.counters == {"truncated": 1}


def test_zero_frames_are_counted_apart():
    feed = protocol()
    for _ in range(1000):
        assert feed.receive([bytes(8)], AT) == []
    assert feed.counters == {"zero_frame": 1000}


def test_unknown_codes_and_wrong_lengths_are_counted_and_the_rest_is_read():
    feed = protocol()
    unknown = bytes.fromhex("630c000101000000ffffffff")
    wrong = b"\x02\x00\x00" + encode(TICKER)[3:]
    assert feed.receive([unknown + wrong + encode(TICKER)], AT) == [TICK, TICK]
    assert feed.counters == {"unknown_code": 1, "wrong_length": 1}


@given(st.binary(max_size=600))
def test_any_bytes_do_not_raise(message):
    feed = protocol()
    assert len(feed.receive([message], AT)) <= len(message) / 8
    assert feed.receive([encode(TICKER)], AT) == [TICK]


def test_garbage_that_begins_like_a_disconnect_ends_nothing():
    """A right length or a known reason makes it one; anything else would let a damaged message cost the
    connection.
    """
    feed = protocol()
    for length, reason in ((0x4A11, 19_551), (10, 19_551), (0x4A11, 805)):
        feed.receive([struct.pack("<BHBIH", 50, length, 0, 0, reason)], AT)
    assert feed.events() == [Disconnected(19_551), Disconnected(805)]
    assert feed.counters["wrong_length"] == 2


# Blocks: messages of one size one after another


def block_of(messages: list[bytes], gap: bytes = b"\x82\x32") -> Block:
    return b"".join(gap + message for message in messages), len(gap), len(messages[0])


@pytest.mark.parametrize("gap", [b"", b"\x82\x32", b"\x82\x7e\x00\x32"])
@pytest.mark.parametrize(
    "packet", [TICKER, QUOTE, FULL, OpenInterestPacket(1, 1333, 987650), DisconnectPacket(1, 0, 805)]
)
def test_a_block_is_read_as_its_messages_are(packet, gap):
    others = [packet._replace(security_id=id_) for id_ in (1333, 7, 11536, 1333)]  # 7 is not wanted
    messages = [encode(other) for other in others]
    single, whole = protocol("NSE_EQ:1333", "NSE_EQ:11536"), protocol("NSE_EQ:1333", "NSE_EQ:11536")
    for _ in range(2):  # known the second time
        assert whole.receive([block_of(messages, gap)], AT) == single.receive(messages, AT)
        assert (whole.counters, whole.seen, whole.events()) == (single.counters, single.seen, single.events())


def test_odd_messages_of_a_block_are_read_in_their_place():
    """No price, damage and a packet of an unknown instrument between good ones, the first two of them of
    known instruments.
    """
    good, free, damaged = encode(QUOTE), encode(QUOTE._replace(ltp=0.0)), b"\xff" * 50
    small = encode(TICKER)
    several = small + small + encode(OpenInterestPacket(1, 1333, 5)) + b"\xff" * 6
    assert len(several) == len(good)
    messages = [
        good,
        free,
        encode(QUOTE._replace(ltp=0.5)),
        several,
        good,
        damaged,
        encode(QUOTE._replace(security_id=9)),
        good,
    ]
    feed, single = protocol(), protocol()
    assert feed.receive([block_of([good] * 3)], AT) == [QUOTE_TICK] * 3
    single.receive([good] * 3, AT)
    ticks = feed.receive([block_of(messages), small, block_of(messages[::-1])], AT)
    assert ticks == single.receive([*messages, small, *messages[::-1]], AT)
    assert [each[1] for each in ticks[:7]] == [16503500, None, 5000, 16503500, 16503500, None, 16503500]
    assert feed.counters == single.counters


@given(st.lists(st.tuples(st.integers(1, 4), st.floats(width=32), st.integers(0, 2**32 - 1)), max_size=40))
def test_any_block_is_read_as_its_messages_are(quotes):
    messages = [
        encode(QUOTE._replace(security_id=id_, ltp=ltp, volume=volume)) for id_, ltp, volume in quotes
    ]
    whole, single = protocol("NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"), protocol("NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3")
    assert (whole.receive([block_of(messages)], AT) if messages else []) == single.receive(messages, AT)
    assert whole.counters == single.counters
