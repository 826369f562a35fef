"""The truth of a rule at a packet. What is not known makes a comparison unknown, and an unknown rule does not fire."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Final

from ltp.core.alerts.grammar import CROSSES
from ltp.core.alerts.rule import is_stored
from ltp.core.criteria.nodes import (
    COMPARE,
    Arithmetic,
    Call,
    Comparison,
    Live,
    Logic,
    Negative,
    Node,
    Not,
    Number,
    Of,
    PlanLevel,
    node_text,
)
from ltp.core.money import SCALE, Price
from ltp.core.ticks.tick import DayPrices

# Values by the text of a term or a plan's level; None or missing: not known.
Values = Mapping[str, float | None]
Value = Callable[[], float | None]
Truth = Callable[[], bool | None]
# Returns the function that reads a live value; the key is "" for the rule's own instrument.
Reader = Callable[[str, str], Value]

_COMPUTE: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


def live_value(
    name: str, ltp: Price | None, day: DayPrices, prev_close: Price | None, volume: int | None
) -> float | None:
    """Return a live value in rupees, per cent or units, None where it is not known."""
    if name == "day_volume":
        return volume
    if name == "change_pct":
        return None if not prev_close or ltp is None else (ltp - prev_close) / prev_close * 100
    price = ltp if name == "ltp" else getattr(day, name.removeprefix("day_"))
    return None if price is None else price / SCALE


def constant(node: Node, values: Values) -> float | None:
    """Return the value of a part without live values, None if it is not known."""
    return number(node, values, lambda _key, _name: lambda: None)()


def number(node: Node, values: Values, reader: Reader) -> Value:
    """Return a function that computes a number, None while it is not known."""
    if is_stored(node):
        return _fixed(values.get(node_text(node)))
    match node:
        case Number(value):
            return _fixed(value)
        case PlanLevel():
            return _fixed(values.get(node_text(node)))
        case Live(name):
            return reader("", name)
        case Of(key, Live(name)):
            return reader(key, name)
        case Negative(operand):
            return _applied(operator.neg, number(operand, values, reader))
        case Call("abs", (operand,)):
            return _applied(abs, number(operand, values, reader))
        case Arithmetic(sign, left, right):
            return _computed(_COMPUTE[sign], number(left, values, reader), number(right, values, reader))
        case _:
            raise AssertionError(f"the grammar lets no {node} be a number")


def truth(node: Node, values: Values, reader: Reader) -> Truth:
    """Return a function that tells whether a rule is met, to be called once a packet; None for unknown."""
    if is_stored(node):
        known = values.get(node_text(node))
        return _fixed_truth(None if known is None else bool(known))
    match node:
        case Comparison(sign, left, right):
            return _compared(COMPARE[sign], number(left, values, reader), number(right, values, reader))
        case Not(operand):
            return _negated(truth(operand, values, reader))
        case Logic(word, below):
            return _joined(word == "or", [truth(part, values, reader) for part in below])
        case Call(function, (first, second)) if function in CROSSES:
            sides = number(first, values, reader), number(second, values, reader)
            return _crossed(*(sides if function == CROSSES[0] else sides[::-1]))
        case _:
            raise AssertionError(f"the grammar lets no {node} be a rule")


def _fixed(value: float | None) -> Value:
    known = value if value is not None and math.isfinite(value) else None
    return lambda: known


def _fixed_truth(known: bool | None) -> Truth:
    return lambda: known


def _applied(function: Callable[[float], float], operand: Value) -> Value:
    def value() -> float | None:
        of = operand()
        return None if of is None else function(of)

    return value


def _computed(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    def value() -> float | None:
        a, b = left(), right()
        if a is None or b is None:
            return None
        try:
            return function(a, b)
        except ZeroDivisionError:
            return None

    return value


def _compared(function: Callable[[float, float], bool], left: Value, right: Value) -> Truth:
    def met() -> bool | None:
        a, b = left(), right()
        return None if a is None or b is None else function(a, b)

    return met


def _negated(inner: Truth) -> Truth:
    def met() -> bool | None:
        of = inner()
        return None if of is None else not of

    return met


def _joined(decides: bool, inner: list[Truth]) -> Truth:
    def met() -> bool | None:
        # All of them, because a cross must see each packet.
        seen = {each() for each in inner}
        return decides if decides in seen else None if None in seen else not decides

    return met


def _crossed(upper: Value, lower: Value) -> Truth:
    """Is `upper` above `lower` now, and was it not at the packet before?"""
    was_above: bool | None = None

    def met() -> bool | None:
        nonlocal was_above
        a, b = upper(), lower()
        if a is None or b is None:
            return None
        before, was_above = was_above, a > b
        return before is False and was_above

    return met
