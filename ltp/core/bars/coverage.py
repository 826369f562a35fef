"""The time that the feed covered: spans joined, intersected, and the whole minutes that they leave out.

"No trade" and "no data" look alike in bars, because an empty minute has none. Coverage tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from ltp.core.bars.bar import MINUTE_S

KNOWN_WITHIN_S: Final = (
    15  # after its end a minute may not yet be known as covered: the worker stores every 5 s
)


class Span(NamedTuple):
    """The time `[start, until)` in seconds since the epoch."""

    start: int
    until: int


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap as one, empty ones left out."""
    found: list[Span] = []
    for span in sorted(spans):
        if span.until <= span.start:
            continue
        if found and span.start <= found[-1].until:
            found[-1] = Span(found[-1].start, max(found[-1].until, span.until))
        else:
            found.append(span)
    return found


def common(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return the time that lies in a span of each, in order."""
    left, right = joined(some), joined(others)
    found, a, b = [], 0, 0
    while a < len(left) and b < len(right):
        start, until = max(left[a].start, right[b].start), min(left[a].until, right[b].until)
        if start < until:
            found.append(Span(start, until))
        if left[a].until < right[b].until:
            a += 1
        else:
            b += 1
    return found


def gaps(covered: Iterable[Span], windows: Sequence[tuple[int, int]]) -> list[Span]:
    """Return the minutes of the windows that are not covered from their start to their end, as spans in order.

    Args:
        windows: trading windows in order, not overlapping, on whole minutes. Minutes of two windows that touch
            are one gap.
    """
    whole = joined(_whole_minutes(joined(covered)))
    return joined(
        gap for start, until in windows for gap in _left_out(whole, start, until) if gap.start < gap.until
    )


def minutes(spans: Iterable[Span]) -> int:
    """Return the number of whole minutes of spans on whole minutes."""
    return sum((span.until - span.start) // MINUTE_S for span in spans)


def ended(windows: Iterable[tuple[int, int]], until: int) -> list[tuple[int, int]]:
    """Return the part of windows whose minutes are over at an instant."""
    over = until - until % MINUTE_S
    return [(start, min(end, over)) for start, end in windows if start < over]


def has_whole_minute(span: Span) -> bool:
    return any(_whole_minutes([span]))


def _whole_minutes(spans: Iterable[Span]) -> Iterator[Span]:
    for start, until in spans:
        first, end = -(-start // MINUTE_S) * MINUTE_S, until // MINUTE_S * MINUTE_S
        if first < end:
            yield Span(first, end)


def _left_out(covered: Sequence[Span], start: int, until: int) -> Iterator[Span]:
    for span in covered:
        if span.until <= start:
            continue
        if span.start >= until:
            break
        yield Span(start, span.start)
        start = span.until
    yield Span(start, until)
