"""One history of two parts: older bars of five minutes, and newer ones of one minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ltp.core.bars.bar import MINUTE_S, Bar
from ltp.core.bars.block import merged
from ltp.core.bars.timeframe import rolled_up

FIVE: Final = 5  # minutes of a bar of the older part


def made_of_fives(minutes: int) -> bool:
    """Return whether bars of so many minutes are made of five-minute ones: no other history is as long."""
    return minutes % FIVE == 0


def both_parts(fives: Sequence[Bar], ones: Sequence[Bar], windows: Sequence[tuple[int, int]]) -> list[Bar]:
    """Return bars for `rolled_up` into multiples of five minutes: each minute is in one of them at most.

    Where both parts have bars of the same five minutes, the one-minute bars count: they were stored later, because
    those that the five-minute bar was made of are deleted. Only the broker's five-minute bar or a file's is not
    replaced by minutes built here, as `merged` has it; so the upkeep, which merges alike, changes no answer.

    Args:
        windows: trading windows, as of `rolled_up`.
    """
    if not fives or not ones:
        return [*fives, *ones]
    if fives[-1].start + FIVE * MINUTE_S <= ones[0].start:
        return [*fives, *ones]
    return merged(fives, list(rolled_up(ones, FIVE, windows)))
