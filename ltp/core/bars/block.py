"""Bars of a stretch of time packed into bytes: the unit that SQL keeps.

A block has a head byte, then records: plain while the block still changes, compressed once it is final.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ltp.core.bars.bar import LIVE, MINUTE_S, Bar
from ltp.core.money import Price

# Minute within the block, marks, sources; open in 1/10,000 rupee, then high, low and close as differences
# from it; volume; open interest, -1 without one. Little-endian, without gaps.
RECORD: Final = struct.Struct("<HBBqiiiqq")
_CLOSE: Final = struct.Struct("<H2xq8xi16x")  # minute, open and close of a record
_PLAIN, _COMPRESSED = b"\x00", b"\x01"
_LEVEL: Final = 1  # higher levels take several times as long for a tenth fewer bytes
_NO_OI: Final = -1
_SOURCES_AT: Final = 3  # the byte of a record that has them
MAX_SPAN: Final = 2**31 - 1  # 1/10,000 rupee between the prices of a bar


def packed(bars: Iterable[Bar], start: int, *, compress: bool = False) -> bytes:
    """Return the block of one-minute bars that starts at `start`, seconds since the epoch."""
    content = b"".join(
        RECORD.pack(
            (bar.start - start) // MINUTE_S,
            bar.marks,
            bar.sources,
            bar.open,
            bar.high - bar.open,
            bar.low - bar.open,
            bar.close - bar.open,
            bar.volume,
            _NO_OI if bar.oi is None else bar.oi,
        )
        for bar in bars
    )
    return _COMPRESSED + zlib.compress(content, _LEVEL) if compress else _PLAIN + content


def records(block: bytes) -> bytes | None:
    """Return the records of a block, None for a damaged one."""
    head, content = block[:1], block[1:]
    if head == _COMPRESSED:
        try:
            content = zlib.decompress(content)
        except zlib.error:
            return None
    elif head != _PLAIN:
        return None
    return None if len(content) % RECORD.size else content


def count_sources(block: bytes) -> Counter[int]:
    """Return the number of bars of a block by their `sources`. A damaged block has none."""
    return Counter((records(block) or b"")[_SOURCES_AT :: RECORD.size])


def unpacked(block: bytes, start: int) -> list[Bar]:
    """Return the bars of a block. A damaged block has none: a refill replaces it."""
    new = tuple.__new__  # that of Bar takes twice as long, and a year has 90,000
    return [
        new(
            Bar,
            (
                start + minute * MINUTE_S,
                open_,
                open_ + high,
                open_ + low,
                open_ + close,
                volume,
                None if oi == _NO_OI else oi,
                marks,
                sources,
            ),
        )
        for minute, marks, sources, open_, high, low, close, volume, oi in RECORD.iter_unpack(
            records(block) or b""
        )
    ]


def closes(block: bytes, start: int) -> list[tuple[int, Price]]:
    """Return start and close of the bars of a block, in a fraction of the time of `unpacked`."""
    return [
        (start + minute * MINUTE_S, open_ + close)
        for minute, open_, close in _CLOSE.iter_unpack(records(block) or b"")
    ]


def merged(old: Sequence[Bar], new: Sequence[Bar]) -> list[Bar]:
    """Return bars by start; of two of one start the new one counts.

    A bar built here does not take the place of the broker's or a file's: it may be a revision, or have waited
    for the database, while its minute was refilled. Nor does one that is joined of such in part.
    """
    bars = {bar.start: bar for bar in old}
    for bar in new:
        there = bars.get(bar.start)
        if there is None or _built_here(bar) <= _built_here(there):
            bars[bar.start] = bar
    return [bars[start] for start in sorted(bars)]


def _built_here(bar: Bar) -> int:
    """Return 2 for a bar built here, 1 for one that is joined of such and others, 0 for others."""
    return 2 if bar.sources == LIVE else bar.sources & LIVE
