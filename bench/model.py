"""The parts of a case: contenders that are measured in turn, the figures they give, and the bars ours must
meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

OURS: Final = "ours"
FLOOR: Final = "floor"

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Scale:
    """How much of everything. `seconds`: of measuring in one turn. `size`: share of the full number of
    browsers and ticks. `patience`: share of the full time a stalled browser is given.
    """

    seconds: float = 2.5
    size: float = 1.0
    patience: float = 1.0

    def of(self, count: int) -> int:
        return max(10, int(count * self.size))


@dataclass(frozen=True)
class Turn:
    """One measurement of one contender. `before`: figures of the contenders ahead of it in this round."""

    scale: Scale
    before: Mapping[str, Figures]


Contender = Callable[[Turn], Figures]


@dataclass(frozen=True)
class Bar:
    """The bar for our figure: a number, or a multiple of another contender's figure."""

    limit: float
    times: str = ""
    at_least: bool = False
    below: bool = False  # strictly
    wish: bool = False  # reported, but no failure

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "<" if self.below else "≤"
        limit = f"{self.limit:,g}"
        if not self.times:
            text = f"{sign} {limit}"
        elif self.limit == 1:
            text = f"{sign} {self.times}"
        else:
            text = f"{sign} {limit} × {self.times}"
        return f"{text} (wish)" if self.wish else text

    def met(self, ours: float, others: Mapping[str, float]) -> bool | None:
        """None when the contender it compares with has no figure."""
        if self.times and self.times not in others:
            return None
        limit = self.limit * (others[self.times] if self.times else 1)
        if self.below:
            return ours < limit
        return ours >= limit if self.at_least else ours <= limit


@dataclass(frozen=True)
class Line:
    """One line of the table: a figure every contender may have, in `unit`."""

    title: str
    figure: str
    unit: str
    bars: Sequence[Bar] = ()


@dataclass(frozen=True)
class Case:
    """`contenders` by name, measured in this order in each round. `checks`: conditions on every
    contender's figures, such as that no event was torn; it returns the fault, empty for none.
    `repeats`: only its sizes differ from another case, so where sizes do not count it is left out.
    """

    name: str
    title: str
    contenders: Mapping[str, Contender]
    lines: Sequence[Line]
    checks: Callable[[str, Figures], str] = lambda _name, _figures: ""
    repeats: bool = False
