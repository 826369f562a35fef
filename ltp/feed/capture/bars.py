"""Captured frames into one-minute bars: the builder at full speed, with the times of the file as its clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from ltp.core.bars.bar import MINUTE_S
from ltp.core.bars.builder import BarBuilder, ClosedBar
from ltp.core.money import Price
from ltp.feed.capture.file import CaptureFile
from ltp.feed.capture.ticks import steps

_SECOND_US: Final = 1_000_000
_PAST_ALL_US: Final = 2 * MINUTE_S * _SECOND_US


def bars(
    file: CaptureFile,
    counters: Counter[str],
    *,
    is_open: Callable[[str, int], bool],
    tick_size: Callable[[str], Price],
) -> Iterator[list[ClosedBar]]:
    """Yield the bars of a file as they close; one that was yielded before is replaced by the later one.

    Bars that are open where the file ends come last, marked as partial. Equal files and equal functions give
    equal bars.

    Args:
        counters, is_open, tick_size: as of `BarBuilder`.
    """
    builder = BarBuilder(counters, is_open=is_open, tick_size=tick_size)
    since, looked, at_us = 0, 0, file.began_us
    for step in steps(file):
        at_us = step.at_us
        if at_us // _SECOND_US != looked:  # once a second, as the worker does
            looked = at_us // _SECOND_US
            yield builder.close(builder.due(at_us))
        if step.since_us != since:
            _reconnect(builder, since, step.since_us)
            since = step.since_us
        if step.wanted is not None:
            builder.follow(step.wanted)
        builder.take(step.ticks)
    yield builder.close(builder.due(at_us))
    builder.disconnected()
    yield builder.close(builder.due(at_us + _PAST_ALL_US))


def _reconnect(builder: BarBuilder, before: int, since: int) -> None:
    if before:
        builder.disconnected()
    if since:
        builder.connected(since)
