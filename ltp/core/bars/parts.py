"""One history of two parts: older bars of five minutes, and newer ones of one minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ltp.core.bars.bar import MINUTE_S
from ltp.core.bars.block import merged
from ltp.core.bars.columns import BarColumns, chained, of_bars, rolled_up

FIVE: Final = 5  # minutes of a bar of the older part


def made_of_fives(minutes: int) -> bool:
    """Return whether bars of so many minutes are made of five-minute ones: no other history is as long."""
    return minutes % FIVE == 0


def both_parts(fives: BarColumns, ones: BarColumns, windows: Sequence[tuple[int, int]]) -> BarColumns:
    """Return bars for `rolled_up` into multiples of five minutes: each minute is in one of them at most.

    Where both parts have bars of the same five minutes, the one-minute bars count: they were stored later, because
    those that the five-minute bar was made of are deleted. Only the broker's five-minute bar or a file's is not
    replaced by minutes built here, as `merged` has it; so the upkeep, which merges alike, changes no answer.

    Args:
        windows: trading windows, as of `rolled_up`.
    """
    meet = fives.starts and ones.starts and fives.starts[-1] + FIVE * MINUTE_S > ones.starts[0]
    if not meet:
        return chained([fives, ones])
    return of_bars(merged(fives.bars(), rolled_up(ones, FIVE, windows).bars()))
