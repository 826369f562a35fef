"""Random conversations and random bytes: each packet gives its tick, and nothing raises."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from ltp.core.instrument import CONTRACT_SEGMENTS
from ltp.core.money import price_from_float32
from ltp.core.ticks.tick import Tick
from ltp.dhan.clock import utc_to_ltt
from ltp.dhan.codes import SEGMENT_NUMBERS
from ltp.dhan.packets import (
    Depth,
    FullPacket,
    MarketStatusPacket,
    OpenInterestPacket,
    PrevClosePacket,
    QuotePacket,
    TickerPacket,
    decode,
    encode,
)
from ltp.dhan.protocol import Protocol

AT = 1795408200_123456
EMPTY_DEPTH = (Depth(0, 0, 0, 0, 0.0, 0.0),) * 5
KEYS = ("IDX_I:13", "NSE_EQ:13", "NSE_EQ:1333", "NSE_FNO:35084", "NSE_CURRENCY:1", "BSE_FNO:4294967295")
key = st.sampled_from((*KEYS, "NSE_EQ:99"))  # the last is not wanted
paise = st.integers(1, 13_107_199).map(lambda n: n / 100)
u32 = st.integers(0, 2**32 - 1)
epoch = st.integers(10**9, 2**32 - 1 - 19_800)


def listening():
    feed = Protocol("quote")
    feed.subscribe(KEYS)
    return feed


@st.composite
def conversation(draw):
    """Pairs of a packet and the tick it must give, None for none."""
    name = draw(key)
    segment, _, security_id = name.partition(":")
    head = (SEGMENT_NUMBERS[segment], int(security_id))
    ltp, traded, volume, oi = draw(paise), draw(epoch), draw(u32), draw(u32)
    side = draw(st.tuples(*[paise | st.just(0.0)] * 4))
    currency = segment.endswith("CURRENCY")
    # a currency above 1,024 is not exact: the expectation is then the codec's own rounding of the 32-bit
    # value
    exact = {value: _exact(value, currency=currency) for value in (ltp, *side)}
    tick = Tick(name, exact[ltp], traded, AT)
    open_, close, high, low = (exact[value] for value in side)
    quoted = tick._replace(volume=volume, open=open_, prev_close=close, high=high, low=low)
    middle = (1, utc_to_ltt(traded), 1.0, volume, 2, 3)
    contract = segment in CONTRACT_SEGMENTS
    of_full = quoted._replace(oi=oi if oi or contract else None)  # a share's packet has 0 for none
    packet, expected = draw(
        st.sampled_from(
            [
                (TickerPacket(*head, ltp, utc_to_ltt(traded)), tick),
                (QuotePacket(*head, ltp, *middle, *side), quoted),
                (FullPacket(*head, ltp, *middle, oi, 0, 0, *side, EMPTY_DEPTH), of_full),
                (OpenInterestPacket(*head, oi), Tick(name, received_at=AT, oi=oi)),
                (PrevClosePacket(*head, ltp, oi), Tick(name, received_at=AT, prev_close=exact[ltp])),
                (MarketStatusPacket(*head), None),
                (QuotePacket(*head, float("nan"), *middle, *side), quoted._replace(ltp=None, ltt=None)),
            ]
        )
    )
    return packet, expected if name in KEYS else None


def _exact(rupees, *, currency):
    if currency:
        return price_from_float32(struct.unpack("<f", struct.pack("<f", rupees))[0], currency=True)
    return round(rupees * 100) * 100 or None


@given(st.lists(st.lists(conversation(), min_size=1, max_size=4), max_size=4))
def test_random_packets_come_out_as_they_were_sent(messages):
    feed = listening()
    for message in messages:
        expected = [tick for _, tick in message if tick is not None]
        assert feed.receive([b"".join(encode(packet) for packet, _ in message)], AT) == expected


@given(st.lists(conversation(), max_size=8))
def test_a_packet_a_message_gives_the_same(packets):
    """Twice: the second time all instruments have been seen."""
    feed, expected = listening(), [tick for _, tick in packets if tick is not None]
    for _ in range(2):
        assert feed.receive([encode(packet) for packet, _ in packets], AT) == expected


@given(
    st.lists(conversation(), max_size=5).map(lambda pairs: b"".join(encode(packet) for packet, _ in pairs)),
    st.binary(max_size=40),
)
def test_faults_are_those_of_the_codec(message, tail):
    """The fast path and the codec walk the same bytes the same way."""
    feed = listening()
    feed.receive([message + tail], AT)
    kinds = [fault.kind for fault in decode(message + tail)[1]]
    ours = {kind: count for kind, count in feed.counters.items() if kind not in ("unwanted", "bad_price")}
    assert ours == {kind: kinds.count(kind) for kind in kinds}
