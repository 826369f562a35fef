"""Named criteria and the score they add up to.

A strategy is a list of them, so that a page can say of every row which it met and by how much. Knows facts by
their names alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from ltp.core.criteria.facts import unit_of
from ltp.core.screener import Outcome
from ltp.screen.facts import Value

Curve = tuple[tuple[float, float], ...]


class Criterion(NamedTuple):
    """What is asked of one fact: met strictly above `low` and strictly below `high`, either of which may be
    open.

    `curve`: points (value, credit), values rising, between which the credit is drawn straight; before the
    first and after the last it stays. So a near miss earns something, and more of a good thing more.
    `weight`: points of a hundred that a credit of 1 brings.
    """

    name: str
    fact: str
    weight: float
    curve: Curve
    low: float = -math.inf
    high: float = math.inf

    @property
    def bound(self) -> str:
        if math.isinf(self.high):
            return f"> {self.low:g}"
        return f"< {self.high:g}" if math.isinf(self.low) else f"{self.low:g} to {self.high:g}"


class Score(NamedTuple):
    """`points`: 0 to 100."""

    points: float
    outcomes: tuple[Outcome, ...]


def assess(criteria: Sequence[Criterion], facts: Mapping[str, Value]) -> Score:
    """Return the credits' weighted average and what each criterion said; what is unknown earns nothing."""
    earned = 0.0
    outcomes = []
    for criterion in criteria:
        value = facts[criterion.fact]
        if isinstance(value, float):
            earned += criterion.weight * credit(criterion.curve, value)
        outcomes.append(_outcome(criterion, value if isinstance(value, float) else None))
    return Score(100 * earned / sum(criterion.weight for criterion in criteria), tuple(outcomes))


def credit(curve: Curve, value: float) -> float:
    """Return 0 to 1, between the points of the curve on a straight line."""
    if value <= curve[0][0]:
        return curve[0][1]
    for (left, before), (right, after) in pairwise(curve):
        if value <= right:
            return before + (after - before) * (value - left) / (right - left)
    return curve[-1][1]


def _outcome(criterion: Criterion, value: float | None) -> Outcome:
    if value is None:
        return Outcome(criterion.name, passed=False, bound=criterion.bound, unit=unit_of(criterion.fact))
    margin = min(value - criterion.low, criterion.high - value)
    return Outcome(
        criterion.name,
        margin > 0,
        round(value, 2),
        criterion.bound,
        round(margin, 2),
        unit_of(criterion.fact),
    )
