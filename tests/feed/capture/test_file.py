"""Records into blocks and back, from files that are whole, cut or damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from ltp.dhan.packets import TickerPacket, encode
from ltp.errors import InputError
from ltp.feed.capture import file as module
from ltp.feed.capture.file import (
    CONNECTED,
    ENDED,
    FRAMES,
    LOST,
    MAGIC,
    START,
    SUBSCRIBED,
    UNSUBSCRIBED,
    CaptureFile,
    Record,
    event,
    joined,
    of_keys,
    packed,
)
from ltp.feed.capture.ticks import steps
from ltp.feed.frames import FrameWalker, MessageBlock
from tests.feed.messages import cut_apart

T = 1_795_408_200_000_000
TICKER = encode(TickerPacket(1, 1333, 965.5, 1_795_428_000))
# Two blocks of the first version of the format: files that were captured once stay readable.
LITERAL = bytes.fromhex(
    "4c5450434150310a"
    "7f0000000100e2fc0bea6006"
    "0028b52ffd247f95030034060100e2fc0bea600600230000007b22736f75726365223a226468616e6871222c226d6f6465223a22"
    "7469636b6572227d022a696e6365223a3137393534303832302c22696e737472756d656e7473223a317d03010b0000004e53455f"
    "45513a313333330400b5ca212e5730444c424101f8f91910"
    "2c0000000040240c0cea6006"
    "0028b52ffd241ff900000540240c0cea600600120000008210021000013505000000607144a00e046bd11238dc"
)
RECORDS = [
    Record(START, T, b'{"source":"dhanhq","mode":"ticker"}'),
    Record(CONNECTED, T, b'{"since":1795408200000000,"instruments":1}'),
    Record(SUBSCRIBED, T + 1, b"NSE_EQ:1333"),
    Record(FRAMES, T + 1_000_000, b"\x82\x10" + TICKER),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.ltpcap"
    path.write_bytes(LITERAL)
    return path


def read(path: Path) -> tuple[list[Record], bool]:
    with CaptureFile(path) as file:
        return list(file.records()), file.cut


def test_a_literal_file_is_read(path: Path) -> None:
    with CaptureFile(path) as file:
        assert (file.source, file.mode, file.began_us, file.cut) == ("dhanhq", "ticker", T, False)
        assert list(file.records()) == RECORDS
        assert list(file.events()) == RECORDS[:3]
        assert file.instruments() == {"NSE_EQ:1333"}
    assert cut_apart(RECORDS[3].messages) == [TICKER]


def test_the_bytes_of_a_block() -> None:
    block = packed([Record(UNSUBSCRIBED, 258, b"NSE_EQ:9"), Record(FRAMES, 259, b"\x82\x00")])
    size, head = len(block) - 13, block[:13]
    assert head == size.to_bytes(4, "little") + b"\x01" + b"\x02\x01\0\0\0\0\0\0"
    assert zstandard.ZstdDecompressor().decompress(block[13:]) == (
        b"\x04" + b"\x02\x01\0\0\0\0\0\0" + b"\x08\0\0\0" + b"NSE_EQ:9"
        b"\x05" + b"\x03\x01\0\0\0\0\0\0" + b"\x02\0\0\0" + b"\x82\x00"
    )  # fmt: skip
    assert packed([Record(FRAMES, 259, b"\x82\x00")])[4] == 0


def test_every_record_comes_back(tmp_path: Path) -> None:
    written = [
        *RECORDS,
        of_keys(UNSUBSCRIBED, T + 2, ["NSE_EQ:1333", "IDX_I:13"]),
        event(LOST, T + 3, reads=7),
        event(ENDED, T + 4, kind="closed", code=1006, sentence="The connection broke: π"),
    ]
    path = tmp_path / "b.ltpcap"
    path.write_bytes(MAGIC + packed(written))
    assert read(path) == (written, False)
    assert written[4].keys == ["NSE_EQ:1333", "IDX_I:13"]
    assert written[6].members == {"kind": "closed", "code": 1006, "sentence": "The connection broke: π"}


def test_messages_of_a_read_are_kept_as_frames() -> None:
    long = b"\x63" * 300
    chunk = (
        b"\x82\x10" + TICKER + b"\x82\x10" + TICKER + b"\x02\x01\x63\x80\x01\x64" + b"\x82\x7e\x01\x2c" + long
    )
    messages = FrameWalker().feed(chunk)
    assert isinstance(messages[0], MessageBlock)
    frames = joined(messages)
    assert frames == chunk.replace(b"\x02\x01\x63\x80\x01\x64", b"\x82\x02\x63\x64")
    assert cut_apart(Record(FRAMES, T, frames).messages) == [TICKER, TICKER, b"\x63\x64", long]


def test_a_file_cut_at_any_byte_reads_to_its_last_whole_block(path: Path) -> None:
    first_ends = len(MAGIC) + 13 + 0x7F
    for end in range(first_ends + 1, len(LITERAL)):
        path.write_bytes(LITERAL[:end])
        assert read(path) == (RECORDS[:3], True)
    path.write_bytes(LITERAL[:first_ends])
    assert read(path) == (RECORDS[:3], False)


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"\xff" * 13, b"\x0c\0\0\0\0" + b"\0" * 8 + b"not zstandard"])
def test_a_tail_of_other_bytes_is_left_out(path: Path, tail: bytes) -> None:
    path.write_bytes(LITERAL + tail)
    assert read(path) == (RECORDS, True)


def test_a_damaged_block_ends_the_file(path: Path) -> None:
    damaged = bytearray(LITERAL)
    damaged[-10] ^= 1
    path.write_bytes(damaged + LITERAL[len(MAGIC) :])
    assert read(path) == (RECORDS[:3], True)


def test_a_length_that_is_too_large_is_not_believed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_UNPACKED", 1_000)
    path.write_bytes(LITERAL + packed([Record(FRAMES, T, b"\x82" * 2_000)]))
    assert read(path) == (RECORDS, True)


@pytest.mark.parametrize(
    "content", [b"", b"time,open,high,low", MAGIC, LITERAL[:60], MAGIC + packed(RECORDS[1:])]
)
def test_other_files_are_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match="file of captured frames"):
        CaptureFile(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="readable"):
        CaptureFile(tmp_path / "none.ltpcap")


def test_from_a_time_on_all_events_and_the_later_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.ltpcap"
    blocks = [
        [Record(FRAMES, T + n, b"\x82\x00"), Record(FRAMES, T + n + 1, b"\x82\x00")] for n in range(0, 20, 2)
    ]
    late = event(LOST, T + 5, reads=1)
    path.write_bytes(
        MAGIC + packed(RECORDS[:3]) + b"".join(map(packed, blocks[:3])) + packed([late, *blocks[3]])
        + b"".join(map(packed, blocks[4:]))
    )  # fmt: skip
    with CaptureFile(path) as file:
        unpacked = []
        unpack = file._unpacked
        monkeypatch.setattr(file, "_unpacked", lambda block: unpacked.append(block.at_us) or unpack(block))
        found = list(file.records(T + 13))
    assert found == [*RECORDS[:3], late, *(Record(FRAMES, T + n, b"\x82\x00") for n in range(13, 20))]
    assert unpacked == [T, T + 5, T + 12, T + 14, T + 16, T + 18], "blocks before that time are not unpacked"


@pytest.mark.parametrize(
    "record",
    [
        Record(START, 1, b"[]"),
        Record(START, 1, b"x"),
        Record(START, 1, b"\xff"),
    ],
)
def test_a_start_that_is_none_is_refused(tmp_path: Path, record: Record) -> None:
    path = tmp_path / "made-up"
    path.write_bytes(MAGIC + packed([record]))
    with pytest.raises(InputError, match="a record of kind"):
        CaptureFile(path)


def test_events_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "made-up"
    start = event(START, 1, source="dhanhq", mode="quote")
    for odd in (Record(CONNECTED, 2, b"{}"), Record(SUBSCRIBED, 2, b"\xff"), Record(SUBSCRIBED, 2, b"x")):
        path.write_bytes(MAGIC + packed([start, odd]))
        with CaptureFile(path) as file, pytest.raises(InputError):
            list(steps(file))
