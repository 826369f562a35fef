"""WebSocket frames: short ones as literal bytes, long ones from `encode`, which is tested against bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltp.feed import frames
from ltp.feed.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameWalker, encode
from tests.feed.messages import cut_apart

TICKER = bytes.fromhex("02100001450b00003343af44a00e046b")
SMALL = b"\x82\x10" + TICKER


def fed(walker: FrameWalker, chunk: bytes) -> list[bytes]:
    return cut_apart(walker.feed(chunk))


def fragment(opcode: int, payload: bytes, *, final: bool) -> bytes:
    return bytes([(0x80 if final else 0) | opcode, len(payload)]) + payload


def test_encode_writes_the_examples_of_rfc_6455():
    """Section 5.7: an unmasked and a masked text of "Hello", a 256-byte and a 65,536-byte binary message."""
    assert encode(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert encode(TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert encode(BINARY, bytes(256))[:4] == bytes.fromhex("827e0100")
    assert encode(BINARY, bytes(65536))[:10] == bytes.fromhex("827f0000000000010000")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20])
@pytest.mark.parametrize("key", [None, b"\x01\x02\x03\x04"])
def test_every_length_form_is_read_back(size: int, key: bytes | None):
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    walker = FrameWalker()
    assert fed(walker, encode(BINARY, payload, key)) == [payload]
    assert (walker.frames, walker.half_read, walker.fault) == (1, False, None)


def test_many_small_frames_in_one_chunk():
    walker = FrameWalker()
    assert [len(each.block) for each in walker.feed(SMALL * 1000)] == [256 * 18] * 3 + [232 * 18]
    assert fed(walker, SMALL * 1000) == [TICKER] * 1000
    assert walker.frames == 2000


@pytest.mark.parametrize("cut", range(len(SMALL) * 2))
def test_a_chunk_may_end_at_any_byte(cut: int):
    walker = FrameWalker()
    stream = SMALL * 2
    assert fed(walker, stream[:cut]) + fed(walker, stream[cut:]) == [TICKER] * 2


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 200])
@pytest.mark.parametrize("size", [0, 1, 50, 125])
def test_a_block_of_frames_of_one_size_ends_with_them(count: int, size: int):
    """Behind it a frame of another size, a text, a ping, a fragment, half a frame: each beginning with other
    bytes.
    """
    alike = [bytes([number % 256]) * size for number in range(count)]
    for other, after in (
        (encode(2, b"x" * 7), [b"x" * 7]),
        (encode(TEXT, b"y" * size), []),
        (encode(PING, b"z" * size), []),
        (encode(2, b"m" * size, b"abcd"), [b"m" * size]),
        (encode(2, bytes(300)), [bytes(300)]),
    ):
        walker = FrameWalker()
        stream = b"".join(encode(2, message) for message in alike) + other + encode(2, b"last" * 12)
        assert fed(walker, stream[:-3]) == alike + after
        assert fed(walker, stream[-3:]) == [b"last" * 12]
        assert walker.frames == count + 2


def test_half_a_frame_gives_nothing_and_is_known():
    walker = FrameWalker()
    assert fed(walker, SMALL[:-1]) == []
    assert walker.half_read
    assert fed(walker, SMALL[-1:]) == [TICKER]
    assert not walker.half_read


def test_fragments_with_a_ping_between_them():
    walker = FrameWalker()
    stream = (
        fragment(BINARY, b"ab", final=False)
        + encode(PING, b"?")
        + fragment(0, b"c", final=False)
        + fragment(0, b"d", final=True)
    )
    assert fed(walker, stream) == [b"abcd"]
    assert walker.control == [(PING, b"?")]
    assert walker.frames == 4


def test_a_fragmented_message_is_half_read_between_its_frames():
    walker = FrameWalker()
    fed(walker, fragment(BINARY, b"ab", final=False))
    assert walker.half_read


def test_texts_are_left_out_and_counted():
    walker = FrameWalker()
    assert fed(walker, encode(TEXT, b"hello") + SMALL + encode(TEXT, b"")) == [TICKER]
    assert walker.texts == 2


def test_control_frames_are_kept_in_order():
    walker = FrameWalker()
    fed(walker, encode(PING, b"1") + encode(PONG, b"2") + encode(CLOSE, struct.pack("!H", 1001) + b"bye"))
    assert walker.control == [(PING, b"1"), (PONG, b"2"), (CLOSE, b"\x03\xe9bye")]


@pytest.mark.parametrize(
    ("payload", "code"), [(b"", 1005), (b"\x03", 1005), (b"\x03\xe8", 1000), (b"\x03\xf3gone", 1011)]
)
def test_close_code(payload: bytes, code: int):
    assert frames.close_code(payload) == code


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (b"\xc2\x01x", 1002),  # compressed without an agreed extension
        (b"\x83\x01x", 1002),  # unknown data frame
        (b"\x8b\x01x", 1002),  # unknown control frame
        (b"\x09\x01x", 1002),  # fragmented ping
        (b"\x89\x7e\x00\x7e" + bytes(126), 1002),  # long ping
        (b"\x80\x01x", 1002),  # continuation of nothing
        (b"\x02\x01x\x82\x01y", 1002),  # a message inside a message
        (b"\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x01", 1009),  # 1 MiB and a byte
        (b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 1009),
    ],
)
def test_damage_ends_the_walk_after_the_messages_before_it(damage: bytes, code: int):
    walker = FrameWalker()
    assert fed(walker, SMALL + damage + SMALL) == [TICKER]
    assert walker.fault is not None
    assert walker.fault[0] == code
    assert fed(walker, SMALL) == []


def test_a_giant_length_allocates_nothing():
    """The cap must act on the length field, not on the bytes that have come."""
    walker = FrameWalker(max_message=1000)
    fed(walker, b"\x82\x7e\x03\xe9")
    assert walker.fault == (1009, "The feed sent a message of more than 1000 bytes")


def test_fragments_count_together_towards_the_cap():
    walker = FrameWalker(max_message=150)
    fed(walker, fragment(BINARY, bytes(100), final=False) + fragment(0, bytes(100), final=True))
    assert walker.fault is not None


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.booleans()), max_size=20),
    st.lists(st.integers(min_value=1, max_value=200), min_size=1, max_size=40),
)
def test_any_cutting_gives_the_same_messages(messages: list[tuple[bytes, bool]], cuts: list[int]):
    stream = b"".join(encode(BINARY, payload, b"mask" if masked else None) for payload, masked in messages)
    walker, got, position, turn = FrameWalker(), [], 0, 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        got += fed(walker, stream[position : position + size])
        position, turn = position + size, turn + 1
    assert got == [payload for payload, _ in messages]
    assert not walker.half_read


@given(st.binary(max_size=400))
def test_random_bytes_never_raise(stream: bytes):
    walker = FrameWalker()
    fed(walker, stream)
    fed(walker, stream)
    assert walker.fault is None or walker.fault[0] in (1002, 1009)
