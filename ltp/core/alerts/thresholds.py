"""Between which prices and volumes the truth of a rule cannot change while the day's range stays the same.

A rule of several parts is evaluated in some ten microseconds. Most packets stay between its thresholds, and are not
worth that.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.alerts.evaluate import Reader, Value, Values, number
from ltp.core.alerts.grammar import parts
from ltp.core.alerts.rule import is_stored
from ltp.core.criteria.nodes import Comparison, Live, Logic, Node, Not, Of

_OF_PACKET: Final = frozenset({"ltp", "change_pct", "day_volume"})  # the others change with the day's range


class Threshold(NamedTuple):
    """`name`: ltp, change_pct or day_volume. `value`: in its unit, None while it is not known."""

    name: str
    value: Value


def thresholds_of(tree: Node, values: Values, reader: Reader) -> list[Threshold] | None:
    """Return the thresholds of a rule; None for one that has to be evaluated at each packet."""
    found: list[Threshold] = []
    for leaf in _leaves(tree):
        sides = (leaf.left, leaf.right) if isinstance(leaf, Comparison) else parts(leaf)
        moving = [side for side in sides if _moves(side)]
        if not moving:
            continue
        if len(moving) > 1 or not isinstance(moving[0], Live):
            return None
        other = sides[1] if moving[0] is sides[0] else sides[0]
        found.append(Threshold(moving[0].name, number(other, values, reader)))
    return found


def _leaves(node: Node) -> list[Node]:
    if is_stored(node):
        return []
    if isinstance(node, Logic):
        return [leaf for part in node.parts for leaf in _leaves(part)]
    if isinstance(node, Not):
        return _leaves(node.operand)
    return [node]


def _moves(node: Node) -> bool:
    """Can it change while the day's range stays the same?"""
    if isinstance(node, Of) or (isinstance(node, Live) and node.name in _OF_PACKET):
        return True
    return any(_moves(part) for part in parts(node))
