"""The criteria of a strategy, and the score of a share from them.

A strategy is a list of criteria, so that a page can show for every row which were met and by how much.
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
    """A condition on one fact: met strictly above `low` and strictly below `high`.

    `curve`: points (value, credit) with rising values; the credit is interpolated linearly between them and
    constant outside. So a near miss earns some credit, and a better value earns more. `weight`: points of a
    hundred for a credit of 1.
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
    """Return the weighted average of the credits and the outcome of each criterion; unknown facts earn 0."""
    earned = 0.0
    outcomes = []
    for criterion in criteria:
        value = facts[criterion.fact]
        if isinstance(value, float):
            earned += criterion.weight * credit(criterion.curve, value)
        outcomes.append(_outcome(criterion, value if isinstance(value, float) else None))
    return Score(100 * earned / sum(criterion.weight for criterion in criteria), tuple(outcomes))


def credit(curve: Curve, value: float) -> float:
    """Return the credit of a value, 0 to 1, interpolated linearly between the points of the curve."""
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
