"""The codec against golden bytes in both directions, recorded frames, and every kind of damage."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.dhan.packets import (
    SIZES,
    BadBytes,
    Depth,
    DisconnectPacket,
    FullPacket,
    MarketStatusPacket,
    OpenInterestPacket,
    Packet,
    PrevClosePacket,
    QuotePacket,
    TickerPacket,
    decode,
    encode,
)

LTT = 1795428000  # 2026-11-23 10:00:00 in India


def f32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


QUOTE_FIELDS = (f32(1402.10), 25, LTT, f32(1399.87), 4512345, 812345, 645321)
SIDE_FIELDS = tuple(map(f32, (1395.0, 1390.4, 1408.8, 1391.2)))
DEPTH = tuple(
    Depth(100 * (k + 1), 120 * (k + 1), 3 + k, 4 + k, f32(1402.0 - 0.1 * k), f32(1402.1 + 0.1 * k))
    for k in range(5)
)

GOLDEN: dict[str, tuple[Packet, str]] = {
    "ticker": (TickerPacket(1, 2885, f32(1402.10), LTT), "02 10 00 01 45 0b 00 00 33 43 af 44 a0 0e 04 6b"),
    "prev_close": (
        PrevClosePacket(0, 13, f32(25910.05), 0),
        "06 10 00 00 0d 00 00 00 1a 6c ca 46 00 00 00 00",
    ),
    "open_interest": (OpenInterestPacket(2, 35084, 987650), "05 0c 00 02 0c 89 00 00 02 12 0f 00"),
    "market_status": (MarketStatusPacket(1, 0), "07 08 00 01 00 00 00 00"),
    "disconnect": (DisconnectPacket(0, 0, 805), "32 0a 00 00 00 00 00 00 25 03"),
    "quote": (
        QuotePacket(1, 2885, *QUOTE_FIELDS, *SIDE_FIELDS),
        "04320001450b00003343af441900a00e046bd7fbae4459da440039650c00c9d809000060ae44cdccad449a19b04466e6ad44",
    ),
    "full": (
        FullPacket(1, 2885, *QUOTE_FIELDS, 0, 0, 0, *SIDE_FIELDS, DEPTH),
        "08a20001450b00003343af441900a00e046bd7fbae4459da440039650c00c9d809000000000000000000000000000060ae44cdccad44"
        "9a19b04466e6ad446400000078000000030004000040af443343af44c8000000f000000004000500cd3caf446646af442c0100006801"
        "0000050006009a39af449a49af4490010000e0010000060007006636af44cd4caf44f401000058020000070008003333af440050af44",
    ),
}
PACKETS = [packet for packet, _ in GOLDEN.values()]
FRAMES = json.loads((Path(__file__).parent / "fixtures" / "frames.json").read_text())

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
price = st.floats(width=32, allow_nan=False)  # NaN is unequal to itself; its bytes are tested apart
depth = st.builds(Depth, u32, u32, u16, u16, price, price)
any_packet = st.one_of(
    st.builds(TickerPacket, u8, u32, price, u32),
    st.builds(QuotePacket, u8, u32, price, u16, u32, price, u32, u32, u32, price, price, price, price),
    st.builds(
        FullPacket,
        u8,
        u32,
        price,
        u16,
        u32,
        price,
        *[u32] * 6,
        price,
        price,
        price,
        price,
        st.tuples(*[depth] * 5),
    ),
    st.builds(OpenInterestPacket, u8, u32, u32),
    st.builds(PrevClosePacket, u8, u32, price, u32),
    st.builds(MarketStatusPacket, u8, u32),
    st.builds(DisconnectPacket, u8, u32, u16),
)


@pytest.mark.parametrize(("packet", "text"), GOLDEN.values(), ids=GOLDEN)
def test_golden_bytes(packet, text):
    assert encode(packet) == bytes.fromhex(text)
    assert decode(bytes.fromhex(text)) == ([packet], [])


def test_sizes_are_the_documented_ones():
    assert SIZES == {2: 16, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}


@pytest.mark.parametrize(
    "frame", [frame for frame in FRAMES if frame["code"]], ids=lambda frame: frame["hex"][:16]
)
def test_published_frames(frame):
    """Frames that other clients recorded or tested with; the constructed ones carry a length of 0."""
    message = bytes.fromhex(frame["hex"])
    (packet,), faults = decode(message)
    for name, value in frame["fields"].items():
        if name == "depth":
            assert [level._asdict() for level in packet.depth] == value
        else:
            assert getattr(packet, name) == (f32(value) if isinstance(value, float) else value), name
    right_length = message[1:3] == len(message).to_bytes(2, "little")
    assert faults == ([] if right_length else [BadBytes("wrong_length", 0, frame["code"])])
    assert encode(packet)[3:] == message[3:]


def test_recorded_full_packet_of_which_the_middle_is_lost():
    """An option's packet from a public log: the header, the first fields and the last level of depth."""
    message = (
        bytes.fromhex("08a20002f4d90000cd4c18434b00589a") + bytes(138) + bytes.fromhex("9a191843cdcc1843")
    )
    (packet,), faults = decode(message)
    assert faults == []
    assert (packet.segment, packet.security_id, packet.ltq, packet.ltt) == (2, 55796, 75, 0x9A58)
    assert (packet.ltp, packet.depth[4].bid_price, packet.depth[4].ask_price) == (
        f32(152.3),
        f32(152.1),
        f32(152.8),
    )


def test_quantities_are_unsigned():
    quote = GOLDEN["quote"][0]._replace(volume=2**32 - 1, sell_qty=2**31, security_id=2**32 - 1)
    assert decode(encode(quote)) == ([quote], [])


@pytest.mark.parametrize("name", ["quote", "full"])
def test_last_traded_quantity_is_clamped_to_its_16_bits(name):
    packet = GOLDEN[name][0]._replace(ltq=70_000)
    assert decode(encode(packet))[0] == [packet._replace(ltq=65_535)]


@given(any_packet)
def test_round_trip(packet):
    assert decode(encode(packet)) == ([packet], [])


@given(st.lists(any_packet, min_size=1, max_size=6))
def test_several_packets_in_one_message(packets):
    message = b"".join(map(encode, packets))
    assert decode(message) == (packets, [])
    assert decode(memoryview(message)) == (packets, [])


@pytest.mark.parametrize("code", SIZES)
def test_truncated_at_every_length(code):
    whole = next(encode(packet) for packet in PACKETS if encode(packet)[0] == code)
    for length in range(1, len(whole)):
        assert decode(whole[:length]) == ([], [BadBytes("truncated", 0, code)])


def test_empty_message():
    assert decode(b"") == ([], [BadBytes("truncated", 0, 0)])


@given(st.lists(any_packet, min_size=1, max_size=4), st.data())
def test_truncation_yields_the_packets_before_it_and_one_fault(packets, data):
    parts = list(map(encode, packets))
    message = b"".join(parts)
    cut = data.draw(st.integers(1, len(message)))
    starts = [sum(map(len, parts[:index])) for index in range(len(parts) + 1)]
    whole = sum(start <= cut for start in starts) - 1
    faults = [] if cut == starts[whole] else [BadBytes("truncated", starts[whole], parts[whole][0])]
    assert decode(message[:cut]) == (packets[:whole], faults)


def test_wrong_length_of_a_known_code_is_counted_and_the_table_trusted():
    for length in (0, 8, 15, 17, 65_535):
        ticker, _ = GOLDEN["ticker"]
        damaged = b"\x02" + length.to_bytes(2, "little") + encode(ticker)[3:]
        quote = GOLDEN["quote"][0]
        assert decode(damaged + encode(quote)) == ([ticker, quote], [BadBytes("wrong_length", 0, 2)])


@pytest.mark.parametrize("code", [0, 1, 3, 9, 41, 51, 99, 255])
def test_unknown_code_is_skipped_by_its_own_length(code):
    ticker, _ = GOLDEN["ticker"]
    kind = "unknown_code" if code else "zero_frame"
    for length in (8, 9, 20):
        unknown = bytes([code]) + length.to_bytes(2, "little") + bytes(length - 3)
        expected = ([ticker, ticker], [BadBytes(kind, 16, code)])
        assert decode(encode(ticker) + unknown + encode(ticker)) == expected


@pytest.mark.parametrize("length", [0, 1, 7, 25, 65_535])
def test_unknown_code_of_a_senseless_length_drops_the_rest(length):
    ticker, _ = GOLDEN["ticker"]
    unknown = b"\x63" + length.to_bytes(2, "little") + bytes(5)
    assert decode(encode(ticker) + unknown + encode(ticker)) == ([ticker], [BadBytes("unknown_code", 16, 99)])


@pytest.mark.parametrize("size", [8, 16, 50, 162])
def test_frame_of_zeros_is_one_fault(size):
    assert decode(bytes(size)) == ([], [BadBytes("zero_frame", 0, 0)])


@given(
    st.binary(max_size=600)
    | st.lists(st.sampled_from([encode(p) for p in PACKETS]) | st.binary(max_size=20)).map(b"".join)
)
def test_any_bytes_never_raise_and_never_give_more_than_they_can_hold(message):
    packets, faults = decode(message)
    assert len(packets) <= len(message) / 8
    assert all(0 <= fault.offset <= len(message) for fault in faults)
    assert packets or faults


@given(any_packet, st.binary(max_size=300))
def test_bytes_behind_a_packet_are_read_as_if_they_stood_alone(packet, rest):
    first = encode(packet)
    packets, faults = decode(rest) if rest else ([], [])
    moved = [fault._replace(offset=fault.offset + len(first)) for fault in faults]
    # repr: random bytes may hold a NaN, which equals nothing
    assert repr(decode(first + rest)) == repr(([packet, *packets], moved))
