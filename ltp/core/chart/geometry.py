"""Prices and times as places in a picture.

Pure numbers: the callers draw. Heights are pixels and grow downwards; prices may be of any unit. Candles lie
side by side by their place in the sequence, not by time, so that nights and holidays leave no gaps.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

_STEPS: Final = (1, 2, 5, 10)
_DECADE: Final = 3.0  # of highest / lowest: from here on equal steps crowd at the top of a logarithmic scale


class Scale:
    """The heights of prices between `top` and `bottom`."""

    def __init__(
        self, lowest: float, highest: float, top: float, bottom: float, *, logarithmic: bool = False
    ) -> None:
        """`logarithmic`: equal ratios have equal heights; prices must be above 0."""
        self.lowest, self.highest, self.logarithmic = lowest, highest, logarithmic
        self._top = top
        self._first = self._measure(highest)
        self._per_unit = (bottom - top) / ((self._first - self._measure(lowest)) or 1)

    def y(self, price: float) -> float:
        return self._top + (self._first - self._measure(price)) * self._per_unit

    def _measure(self, price: float) -> float:
        return math.log(price) if self.logarithmic else price


class Candle(NamedTuple):
    """The heights of one candle, rounded to whole pixels: `high` <= `top` <= `bottom` <= `low`.

    `top`, `bottom`: the ends of its body. `rose`: the close is not below the open.
    """

    high: int
    top: int
    bottom: int
    low: int
    rose: bool


def candle(scale: Scale, open_: float, high: float, low: float, close: float) -> Candle:
    first, last = round(scale.y(open_)), round(scale.y(close))
    return Candle(
        round(scale.y(high)), min(first, last), max(first, last), round(scale.y(low)), close >= open_
    )


def round_prices(scale: Scale, most: int) -> list[int]:
    """Return up to `most` (at least 2) round prices for grid lines, rising: multiples of 1, 2 or 5 times a power of ten.

    A logarithmic scale of more than a threefold price has 1, 2 and 5 times each power of ten instead, where
    these are at least three.
    """
    lowest, highest = math.ceil(scale.lowest), math.floor(scale.highest)
    if scale.logarithmic and scale.highest >= _DECADE * scale.lowest:
        powers = range(len(str(highest)))
        found = [step * 10**power for power in powers for step in _STEPS[:3]]
        found = [price for price in found if lowest <= price <= highest]
        if len(found) > 2:
            return found[:: -(-len(found) // most)]
    step = round_step((highest - lowest) / (most - 1))
    first = -(-lowest // step) * step
    return list(range(first, highest + 1, step))


def round_step(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50, … that is not below `least`."""
    power: int = 10 ** math.floor(math.log10(max(least, 1)))
    return next(step * power for step in _STEPS if step * power >= least)


def spread(boxes: Sequence[tuple[int, int]], top: int, bottom: int) -> list[int]:
    """Move boxes apart that would overlap, by little, in their order from the top.

    Args:
        boxes: the middle and the height of each.
        top, bottom: the middles stay between these where there is room.
    Returns:
        The new middles, in the order of `boxes`.
    """
    order = sorted(range(len(boxes)), key=lambda at: boxes[at][0])
    middles = [min(max(middle, top), bottom) for middle, _ in boxes]
    for above, below in pairwise(order):
        middles[below] = max(middles[below], middles[above] + _between(boxes[above], boxes[below]))
    limit = bottom
    for at, above in pairwise([*reversed(order), -1]):
        middles[at] = min(middles[at], limit)
        if above >= 0:
            limit = middles[at] - _between(boxes[above], boxes[at])
    return middles


def _between(box: tuple[int, int], other: tuple[int, int]) -> int:
    return -(-(box[1] + other[1]) // 2)


def changes(keys: Sequence[Hashable]) -> list[int]:
    """Return the places whose key differs from the one before: where an hour, a day or a month begins."""
    return [place for place, (before, after) in enumerate(pairwise(keys), 1) if before != after]


def apart(places: Sequence[int], least: float) -> list[int]:
    """Return the places, which rise, without those nearer than `least` to the one kept before them."""
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] >= least:
            kept.append(place)
    return kept
