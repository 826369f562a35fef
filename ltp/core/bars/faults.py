"""Impossible one-minute bars, and what is wrong with a stored block of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from ltp.core import ohlc
from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.block import MAX_SPAN, records, unpacked

_UNITS: Final = 2**63  # a record has so many bits for a number of units


class BlockFault(NamedTuple):
    """`start`: of the bar, or of a block without readable bars; seconds since the epoch."""

    start: int
    reason: str


def fault(bar: Bar) -> str:
    """Return why a bar is impossible, "" if it is possible."""
    if bar.start % MINUTE_S:
        return "it starts within a minute"
    if bar.low <= 0:
        return "a price is not above 0"
    contradiction = ohlc.fault(bar.open, bar.high, bar.low, bar.close)
    if contradiction:
        return contradiction
    if bar.high - bar.low > MAX_SPAN:
        return "low and high are too far apart"
    if not (0 <= bar.volume < _UNITS and 0 <= (bar.oi or 0) < _UNITS):
        return "volume or open interest is no number of units"
    return ""


def block_faults(
    block: bytes, start: int, windows_at: Callable[[int], Sequence[tuple[int, int]]]
) -> Iterator[BlockFault]:
    """Yield the faults of a block of one-minute bars that starts at `start`.

    Args:
        windows_at: the trading windows of the day of a second: first second, and the second after the last.
    """
    bars = unpacked(block, start)
    if not bars:
        yield BlockFault(start, "the block has no bar" if records(block) == b"" else "the block is damaged")
        return
    before = start - 1
    for bar in bars:
        if bar.start <= before:
            yield BlockFault(bar.start, "it does not come after the bar before it")
        before = bar.start
        reason = fault(bar)
        if reason:
            yield BlockFault(bar.start, reason)
        if not inside(bar.start, windows_at(bar.start)):
            yield BlockFault(bar.start, "it lies outside of the trading hours of its day")


def inside(at: int, windows: Sequence[tuple[int, int]]) -> bool:
    return any(first <= at < end for first, end in windows)
