"""Captured records into files: one for each day in India and each start of the process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from ltp.core.trading_day import IST, days_since_1970, session_of
from ltp.feed.capture.file import (
    CONNECTED,
    ENDED,
    FRAMES,
    MAGIC,
    START,
    SUBSCRIBED,
    SUFFIX,
    UNSUBSCRIBED,
    Record,
    event,
    of_keys,
    packed,
)

BLOCK_BYTES: Final = 1 << 20  # of records, before they are compressed


class CaptureWriter:
    """One thread uses it.

    A file begins with all that its frames need to be read: the source, and the connection and the
    subscriptions that a file before it began with.
    """

    def __init__(self, folder: Path, *, source: str, mode: str) -> None:
        self._folder, self._source, self._mode = folder, source, mode
        self._file: BinaryIO | None = None
        self._day = -1  # days since the epoch in India
        self._connected: Record | None = None
        self._keys: dict[str, None] = {}

    def write(self, records: Sequence[Record]) -> None:
        """Write records in the order of their arrival; at the return all of them are with the system.

        Raises:
            OSError: a file cannot be written; the one that is open may end with part of a block.
        """
        block: list[Record] = []
        size = 0
        for record in records:
            day = days_since_1970(record.at_us // 1_000_000)
            if day != self._day or size >= BLOCK_BYTES:
                self._append(block)
                block, size = [], 0
            if day != self._day:
                self._open(record.at_us)
                self._day = day
                block.extend(self._state(record.at_us))
            block.append(record)
            size += record.size
            if record.kind != FRAMES:
                self._note(record)
        self._append(block)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _state(self, at_us: int) -> Iterator[Record]:
        yield event(START, at_us, source=self._source, mode=self._mode)
        if self._connected is not None:
            yield self._connected._replace(at_us=at_us)
            yield of_keys(SUBSCRIBED, at_us, self._keys)

    def _note(self, record: Record) -> None:
        if record.kind == CONNECTED:
            self._connected = record
            self._keys.clear()
        elif record.kind == ENDED:
            self._connected = None
        elif record.kind == SUBSCRIBED:
            self._keys.update(dict.fromkeys(record.keys))
        elif record.kind == UNSUBSCRIBED:
            for key in record.keys:
                self._keys.pop(key, None)

    def _open(self, at_us: int) -> None:
        self.close()
        self._folder.mkdir(parents=True, exist_ok=True)
        began = datetime.fromtimestamp(at_us / 1e6, IST)
        name = f"{session_of(at_us / 1e6)}-{began:%H%M%S}-{os.getpid()}"
        # Unbuffered: bytes in a buffer would be lost with the process, and written again after a failure.
        self._file = (self._folder / f"{name}{SUFFIX}").open("xb", buffering=0)
        self._write(MAGIC)

    def _append(self, block: Sequence[Record]) -> None:
        if block:
            self._write(packed(block))

    def _write(self, content: bytes) -> None:
        assert self._file is not None  # noqa: S101 (opened before the first block)
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
