"""A rule that is one level of the price, as an integer: the common case, compared without evaluating a tree."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from ltp.core.alerts.evaluate import Values, constant
from ltp.core.alerts.grammar import CROSSES, is_live
from ltp.core.criteria.nodes import Call, Comparison, Live, Node
from ltp.core.money import MAX_PRICE, SCALE, Price

_TURNED: Final = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_EXACT: Final = 3  # decimals of 1/10,000 rupee that are not the error of a float


class Level(NamedTuple):
    """The rule is met at `bound` (1/10,000 rupee) and above it if `up`, else at it and below."""

    up: bool
    bound: Price

    def is_met(self, price: Price) -> bool:
        return price >= self.bound if self.up else price <= self.bound

    def back(self, hysteresis: float) -> Price:
        """Return the price at which, and beyond which, the rule counts as not met again, per cent away."""
        share = hysteresis / 100
        if self.up:
            return min(self.bound - 1, math.floor(self.bound * (1 - share)))
        return max(self.bound + 1, math.ceil(self.bound * (1 + share)))


class LevelRule(NamedTuple):
    """`sign`: > >= < or <=, with the live value on its left. `is_change`: that is change_pct, not ltp.
    `bound`: the other side.
    """

    sign: str
    is_change: bool
    bound: Node


def level_rule(tree: Node) -> LevelRule | None:
    """Return a rule's comparison of the price or its change with one level, None for any other rule.

    A cross is the same comparison, since a rule fires only when it was not met before.
    """
    match tree:
        case Comparison(sign, left, right) if sign in _TURNED:
            pass
        case Call(function, (left, right)) if function in CROSSES:
            sign = ">" if function == CROSSES[0] else "<"
        case _:
            return None
    if isinstance(right, Live):
        sign, left, right = _TURNED[sign], right, left
    if not isinstance(left, Live) or left.name not in {"ltp", "change_pct"} or is_live(right):
        return None
    return LevelRule(sign, left.name == "change_pct", right)


def level_of(rule: LevelRule, values: Values, prev_close: Price | None) -> Level | None:
    """Return the level with these values; None while one is not known, or where no price can reach it."""
    bound = constant(rule.bound, values)
    if bound is None or (rule.is_change and not prev_close):
        return None
    exact = round((prev_close or 0) * (1 + bound / 100) if rule.is_change else bound * SCALE, _EXACT)
    if not 0 < exact <= MAX_PRICE:
        return None
    up = rule.sign.startswith(">")
    if len(rule.sign) == 2:
        return Level(up, math.ceil(exact) if up else math.floor(exact))
    return Level(up, math.floor(exact) + 1 if up else math.ceil(exact) - 1)
