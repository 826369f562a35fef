"""Bars built here compared with those of another source, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import Final, NamedTuple

from ltp.core.bars.bar import INFERRED, INFERRED_HIGH, INFERRED_LOW, PARTIAL, Bar

VALUES: Final = ("open", "high", "low", "close", "volume")
_PPM: Final = 1_000_000


class Comparison(NamedTuple):
    """`minutes`: compared. `equal_...`: in how many of them the value was the same. `inferred`: bars whose high or
    low is the day's and in no packet; `inferred_right`: of them, those in which it is the other source's.
    """

    minutes: int = 0
    equal_open: int = 0
    equal_high: int = 0
    equal_low: int = 0
    equal_close: int = 0
    equal_volume: int = 0
    inferred: int = 0
    inferred_right: int = 0

    @property
    def equal(self) -> tuple[int, ...]:
        """The equal minutes in the order of `VALUES`."""
        return self[1 : 1 + len(VALUES)]

    def plus(self, other: Comparison) -> Comparison:
        return Comparison(*(a + b for a, b in zip(self, other, strict=True)))

    def shares(self) -> dict[str, float]:
        """Return the share of equal minutes by value, 0 to 1; {} if none was compared."""
        if not self.minutes:
            return {}
        return {value: equal / self.minutes for value, equal in zip(VALUES, self.equal, strict=True)}


class Difference(NamedTuple):
    """A minute whose bars differ. `price_ppm`: the largest difference of a price, in millionths of the other
    source's; `volume_ppm`: that of the volume, in millionths of the larger one.
    """

    own: Bar
    other: Bar
    price_ppm: int
    volume_ppm: int


def compared(own: Iterable[Bar], others: Iterable[Bar]) -> Comparison:
    """Compare the minutes that both have, each once.

    A partial bar says nothing about how it was built: the feed did not cover its minute.
    """
    pairs = list(_pairs(own, others))
    equal = (sum(getattr(a, value) == getattr(b, value) for a, b in pairs) for value in VALUES)
    inferred = [(a, b) for a, b in pairs if a.marks & INFERRED]
    right = sum(_is_right(a, b) for a, b in inferred)
    return Comparison._make([len(pairs), *equal, len(inferred), right])


def worst(own: Iterable[Bar], others: Iterable[Bar], most: int) -> list[Difference]:
    """Return the minutes that differ most, at most `most`: the worst price first, of equal ones the worst volume.

    The minutes are those of `compared`.
    """
    differing = (_difference(a, b) for a, b in _pairs(own, others) if a[1:6] != b[1:6])
    return nsmallest(most, differing, key=lambda each: (-each.price_ppm, -each.volume_ppm, each.own.start))


def _pairs(own: Iterable[Bar], others: Iterable[Bar]) -> Iterator[tuple[Bar, Bar]]:
    by_start = {bar.start: bar for bar in own if not bar.marks & PARTIAL}
    return ((by_start[bar.start], bar) for bar in others if bar.start in by_start)


def _is_right(own: Bar, other: Bar) -> bool:
    """Return whether the extremes that were inferred are those of the other source."""
    wrong_high = own.marks & INFERRED_HIGH and own.high != other.high
    wrong_low = own.marks & INFERRED_LOW and own.low != other.low
    return not (wrong_high or wrong_low)


def _difference(own: Bar, other: Bar) -> Difference:
    price_ppm = max(abs(a - b) * _PPM // b for a, b in zip(own[1:5], other[1:5], strict=True))
    volume_ppm = abs(own.volume - other.volume) * _PPM // max(own.volume, other.volume, 1)
    return Difference(own, other, price_ppm, volume_ppm)
