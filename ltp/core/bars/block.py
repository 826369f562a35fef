"""Bars of a stretch of time packed into bytes: the unit that SQL keeps.

A block has a head byte, then records: plain while the block still changes, compressed once it is final.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import add
from typing import Final

from ltp.core.bars.bar import LIVE, MINUTE_S, Bar
from ltp.core.bars.columns import NONE, BarColumns, of_bars
from ltp.core.money import Price

# Minute within the block, marks, sources; open in 1/10,000 rupee, then high, low and close as differences
# from it; volume; open interest, -1 without one. Little-endian, without gaps.
RECORD: Final = struct.Struct("<HBBqiiiqq")
_SIZES: Final = {"H": 20, "i": 10, "q": 5}  # integers of 16, 32 and 64 bits in the length of a record
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
    return unpacked_together([(block, start)]).bars()


def unpacked_together(blocks: Iterable[tuple[bytes, int]]) -> BarColumns:
    """Return the bars of blocks by start. Where one block starts before the end of the last one, the bars of the
    later block count.

    Args:
        blocks: content and start. A damaged one has no bars.
    """
    contents: list[bytes] = []
    starts: list[int] = []
    in_order = True
    for block, start in blocks:
        if content := records(block):
            new = [start + minute * MINUTE_S for minute in _array("H", content)[:: _SIZES["H"]]]
            in_order = in_order and (not starts or starts[-1] < new[0])
            contents.append(content)
            starts += new
    found = _columns(starts, b"".join(contents)) if starts else NONE
    if in_order:
        return found
    by_start = {bar.start: bar for bar in found.bars()}
    return of_bars(by_start[start] for start in sorted(by_start))


def _columns(starts: Sequence[int], content: bytes) -> BarColumns:
    """Return the bars of records, at least one, field by field: a year has up to 90,000."""
    longs, ints = _array("q", content), _array("i", content)
    opens = _array("q", content[4:-4])[:: _SIZES["q"]].tolist()
    highs, lows, closes = (list(map(add, opens, ints[field :: _SIZES["i"]])) for field in (3, 4, 5))
    interests = longs[4 :: _SIZES["q"]].tolist()
    return BarColumns(
        starts,
        opens,
        highs,
        lows,
        closes,
        longs[3 :: _SIZES["q"]].tolist(),
        [None if oi == _NO_OI else oi for oi in interests] if _NO_OI in interests else interests,
        content[2 :: RECORD.size],
        content[3 :: RECORD.size],
    )


def _array(code: str, content: bytes) -> array[int]:
    """Return bytes as integers of a size of _SIZES. Of records each field starts at a multiple of its size, but for
    the open, which starts at byte 4.
    """
    found = array(code, content)
    if sys.byteorder == "big":
        found.byteswap()
    return found


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
