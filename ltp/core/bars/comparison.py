"""Bars built here compared with those of another source, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ltp.core.bars.bar import PARTIAL, Bar

VALUES: Final = ("open", "high", "low", "close", "volume")


class Comparison(NamedTuple):
    """`minutes`: compared; the others: in how many of them the value was the same."""

    minutes: int = 0
    equal_open: int = 0
    equal_high: int = 0
    equal_low: int = 0
    equal_close: int = 0
    equal_volume: int = 0

    def plus(self, other: Comparison) -> Comparison:
        return Comparison(*(a + b for a, b in zip(self, other, strict=True)))

    def shares(self) -> dict[str, float]:
        """Return the share of equal minutes by value, 0 to 1; {} if none was compared."""
        if not self.minutes:
            return {}
        return {value: equal / self.minutes for value, equal in zip(VALUES, self[1:], strict=True)}


def compared(own: Iterable[Bar], others: Iterable[Bar]) -> Comparison:
    """Compare the minutes that both have, each once.

    A partial bar says nothing about how it was built: the feed did not cover its minute.
    """
    by_start = {bar.start: bar for bar in own if not bar.marks & PARTIAL}
    pairs = [(by_start[bar.start], bar) for bar in others if bar.start in by_start]
    equal = (sum(getattr(a, value) == getattr(b, value) for a, b in pairs) for value in VALUES)
    return Comparison(len(pairs), *equal)
