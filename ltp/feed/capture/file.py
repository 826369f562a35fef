"""The file of captured frames: records in compressed blocks, read to the last whole block of a cut file.

A file is MAGIC, then blocks: the head `_BLOCK` and one frame of zstandard with a checksum. Unpacked, a block
is records: the head `_RECORD` and the payload. All numbers are little-endian. Knows no thread, no folder and
no packet.

| record | payload |
|---|---|
| START | JSON: `source`, `mode`; the first record of a file |
| CONNECTED | JSON: `since`, `instruments`; `since` is microseconds since the epoch |
| SUBSCRIBED, UNSUBSCRIBED | keys, separated by spaces |
| FRAMES | whole WebSocket frames, unmasked, of one read of the socket |
| LOST | JSON: `reads`, how many reads before this record were not captured |
| ENDED | JSON: `kind`, `code`, `sentence`, as of `core.backoff.CloseReason` |
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple

import zstandard

from ltp.core.instrument import parse_key
from ltp.errors import InputError
from ltp.feed import frames
from ltp.feed.frames import FrameWalker, MessageBlock

MAGIC: Final = b"LTPCAP1\n"
SUFFIX: Final = ".ltpcap"
START, CONNECTED, SUBSCRIBED, UNSUBSCRIBED, FRAMES, LOST, ENDED = range(1, 8)

_BLOCK: Final = struct.Struct(
    "<IBQ"
)  # bytes that follow; 1 where a record is no FRAMES; the first record's at
_RECORD: Final = struct.Struct("<BQI")  # kind; at, microseconds since the epoch; bytes of the payload
_LEVEL: Final = 1  # 3 has a fifth fewer bytes for a quarter more time, and the worker shares its core with it
_MOST_UNPACKED: Final = 1 << 26  # a damaged length must not allocate gigabytes
_EVENTS_ONLY: Final = 1 << 63


class Record(NamedTuple):
    kind: int
    at_us: int
    payload: bytes

    @property
    def size(self) -> int:
        """Bytes in an unpacked block."""
        return _RECORD.size + len(self.payload)

    @property
    def members(self) -> dict[str, Any]:
        """The members of a JSON payload; raises InputError."""
        try:
            found: Any = json.loads(self.payload)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _damaged(self.kind)
        return found

    @property
    def since_us(self) -> int:
        """The member `since` of CONNECTED; raises InputError."""
        since = self.members.get("since")
        if type(since) is not int:
            raise _damaged(self.kind)
        return since

    @property
    def keys(self) -> list[str]:
        """The keys of SUBSCRIBED and UNSUBSCRIBED; raises InputError."""
        try:
            return [parse_key(key) for key in self.payload.decode().split()]
        except ValueError:
            raise _damaged(self.kind) from None

    @property
    def messages(self) -> list[bytes | MessageBlock]:
        """The messages of FRAMES, as `FeedClient.read` returned them, though perhaps in other blocks."""
        return FrameWalker().feed(self.payload)


def event(kind: int, at_us: int, /, **members: object) -> Record:
    return Record(kind, at_us, json.dumps(members, separators=(",", ":")).encode())


def of_keys(kind: int, at_us: int, keys: Iterable[str]) -> Record:
    return Record(kind, at_us, " ".join(keys).encode())


def joined(messages: Iterable[bytes | MessageBlock]) -> bytes:
    """Return the frames of messages that were read. A message that came in fragments becomes one frame."""
    return b"".join(
        each.block if isinstance(each, MessageBlock) else frames.encode(frames.BINARY, each)
        for each in messages
    )


def packed(records: Iterable[Record]) -> bytes:
    """Return one block of records, at least one."""
    records = list(records)
    plain = b"".join(
        part
        for kind, at_us, payload in records
        for part in (_RECORD.pack(kind, at_us, len(payload)), payload)
    )
    compressed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(plain)
    has_events = any(record.kind != FRAMES for record in records)
    return _BLOCK.pack(len(compressed), has_events, records[0].at_us) + compressed


class _Block(NamedTuple):
    begin: int  # where its compressed bytes begin in the file
    size: int
    has_events: bool
    at_us: int


class CaptureFile:
    """A file that is there, to be read any number of times; what a writer adds afterwards is not read.

    `source`, `mode`: of the feed, as in the settings. `began_us`: of the first record. `cut`: the file ends
    inside a block; after a `records` that came to its end also: a block is damaged, and nothing behind it was
    read.
    """

    def __init__(self, path: Path) -> None:
        """Raises:
        InputError: the file cannot be read, or has no whole block of captured frames.
        """
        self.path, self.cut = path, False
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise InputError("file", str(path), f"a readable file ({error.strerror})") from None
        if self._file.read(len(MAGIC)) != MAGIC:
            raise self._refused()
        self._blocks = list(self._find_blocks())
        first = next(self.records(), None)
        if first is None or first.kind != START:
            raise self._refused()
        self.began_us = first.at_us
        members = first.members
        self.source, self.mode = str(members.get("source", "")), str(members.get("mode", ""))

    def __enter__(self) -> CaptureFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def records(self, first_us: int = 0) -> Iterator[Record]:
        """Yield all events, and the frames from `first_us` on, microseconds since the epoch.

        Blocks before it without an event are not unpacked.
        """
        for number, block in enumerate(self._blocks):
            until = self._blocks[number + 1].at_us if number + 1 < len(self._blocks) else _EVENTS_ONLY
            # A clock that was set back, or a damaged head, must not hide the block before it.
            if block.at_us <= until <= first_us and not block.has_events:
                continue
            plain = self._unpacked(block)
            if plain is None:
                self.cut = True
                return
            for record in _records(plain):
                if record.kind != FRAMES or record.at_us >= first_us:
                    yield record

    def events(self) -> Iterator[Record]:
        """Yield all records but frames, which is quick in a file of any size."""
        return self.records(_EVENTS_ONLY)

    def instruments(self) -> set[str]:
        """Return the keys that were subscribed at some time."""
        return {key for record in self.events() if record.kind == SUBSCRIBED for key in record.keys}

    def _find_blocks(self) -> Iterator[_Block]:
        position, end = len(MAGIC), self._file.seek(0, 2)
        while position < end:
            self._file.seek(position)
            head = self._file.read(_BLOCK.size)
            if len(head) < _BLOCK.size:
                break
            size, has_events, at_us = _BLOCK.unpack(head)
            position += _BLOCK.size
            # A power cut may leave zeros at the end.
            if not size or position + size > end:
                break
            yield _Block(position, size, bool(has_events), at_us)
            position += size
        else:
            return
        self.cut = True

    def _unpacked(self, block: _Block) -> bytes | None:
        """Return the records of a block, None for a damaged one."""
        self._file.seek(block.begin)
        compressed = self._file.read(block.size)
        try:
            if not 0 < zstandard.frame_content_size(compressed) <= _MOST_UNPACKED:
                return None
            return zstandard.ZstdDecompressor().decompress(compressed)
        except zstandard.ZstdError:
            return None

    def _refused(self) -> InputError:
        self._file.close()
        return InputError("file", str(self.path), "a file of captured frames with a whole block")


def _records(plain: bytes) -> Iterator[Record]:
    position = 0
    while position < len(plain):
        if position + _RECORD.size > len(plain):
            raise _damaged(None)
        kind, at_us, size = _RECORD.unpack_from(plain, position)
        position += _RECORD.size
        if position + size > len(plain):
            raise _damaged(kind)
        yield Record(kind, at_us, plain[position : position + size])
        position += size


def _damaged(kind: int | None) -> InputError:
    return InputError("file", f"a record of kind {kind}", "records as the worker writes them")
