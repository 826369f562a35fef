"""Evaluation of a custom screen's criteria for one share on its newest session.

`core.criteria.parser` makes the trees that are computed here. In the warm-up of a function, or after a
division by zero, a comparison is unknown, and an unknown criterion is not met.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import talib

from ltp.core.criteria.facts import unit_of
from ltp.core.criteria.nodes import (
    COMPARE,
    Arithmetic,
    Call,
    Comparison,
    FactRef,
    Logic,
    Negative,
    Node,
    NodeKind,
    Not,
    Number,
    Series,
    node_text,
)
from ltp.core.screener import Outcome
from ltp.screen import indicators
from ltp.screen.history import Floats, History, weekly

Facts = Mapping[str, float | str | None]

_COMPUTE: Final[Mapping[str, Callable[[Floats, Floats], Floats]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_OVER: Final[Mapping[str, Callable[[Floats, int], Floats]]] = {
    "sma": indicators.sma,
    "ema": indicators.ema,
    "rsi": indicators.rsi,
    "max": indicators.highest,
    "min": indicators.lowest,
    "stddev": lambda values, days: talib.STDDEV(values, days, 1.0),
}


def outcomes(criteria: Iterable[Node], history: History, facts: Callable[[], Facts]) -> tuple[Outcome, ...]:
    """Return the outcome of each criterion; criteria joined by `and` have an outcome each.

    Args:
        facts: measures the share; called at most once, and only if a criterion names a fact.
    """
    share = _Share(history, facts)
    with np.errstate(all="ignore"):
        return tuple(share.outcome(part) for node in criteria for part in _parts(node))


def values(nodes: Iterable[Node], history: History, facts: Callable[[], Facts]) -> list[float | None]:
    """Return the value of each number or criterion on the newest session: 1 for a criterion that is met, 0 for one
    that is not, None for unknown. `facts`: as of `outcomes`.
    """
    share = _Share(history, facts)
    with np.errstate(all="ignore"):
        return [share.value(node) for node in nodes]


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic) and node.word == "and":
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node


class _Share:
    """A share, or its weeks, with a cache of series, because criteria often share terms."""

    def __init__(self, history: History, facts: Callable[[], Facts]) -> None:
        self._history, self._measure = history, facts
        self._facts: Facts | None = None
        self._weeks: _Share | None = None
        self._cache: dict[Call, Floats] = {}

    def outcome(self, node: Node) -> Outcome:
        passed = self._truth(node) is True
        if not isinstance(node, Comparison):
            return Outcome(node_text(node), passed)
        if node.left.kind is NodeKind.WORD:
            return Outcome(
                node_text(node),
                passed,
                None,
                f"{node.sign} {node_text(node.right)}, is {self._word(node.left) or 'unknown'}",
            )
        value, bound = self._number(node.left), self._number(node.right)
        stated = (
            node_text(node.right)
            if isinstance(node.right, Number)
            else f"{_plain(bound)} ({node_text(node.right)})"
        )
        return Outcome(
            node_text(node),
            passed,
            _rounded(value),
            f"{node.sign} {stated}",
            _margin(node.sign, value, bound),
            _unit(node.left),
        )

    def value(self, node: Node) -> float | None:
        if node.kind is NodeKind.TRUTH:
            met = self._truth(node)
            return None if met is None else float(met)
        number = self._number(node)
        return number if math.isfinite(number) else None

    def _truth(self, node: Node) -> bool | None:
        """Return None for unknown: the values that decide are not known."""
        match node:
            case Comparison(sign, left, right) if left.kind is NodeKind.WORD:
                word = self._word(left)
                return None if word is None else (word == node_text(right)) == (sign == "==")
            case Comparison(sign, left, right):
                a, b = self._number(left), self._number(right)
                return COMPARE[sign](a, b) if math.isfinite(a) and math.isfinite(b) else None
            case Not(operand):
                inner = self._truth(operand)
                return None if inner is None else not inner
            case Logic(word, parts):
                decides = word == "or"
                seen = {self._truth(part) for part in parts}
                return decides if decides in seen else None if None in seen else not decides
            case Call(function, (first, second)):
                return self._crosses(function == "crosses_above", first, second)
            case _:
                raise AssertionError(f"the grammar lets no {node} be a criterion")

    def _crosses(self, above: bool, first: Node, second: Node) -> bool | None:
        over = self._series(first) - self._series(second)
        if over.size < 2 or not np.isfinite(over[-2:]).all():
            return None
        before, now = (over[-2:] if above else -over[-2:]).tolist()
        return bool(before <= 0 < now)

    def _word(self, node: Node) -> str | None:
        word = self._fact(node.name) if isinstance(node, FactRef) else None
        return word if isinstance(word, str) else None

    def _fact(self, name: str) -> float | str | None:
        if self._facts is None:
            self._facts = self._measure()
        return self._facts.get(name)

    def _number(self, node: Node) -> float:
        """Return the value on the newest session, NaN if it is unknown."""
        if node.kind is NodeKind.SERIES:
            values = self._series(node)
            return float(values[-1]) if values.size else math.nan
        match node:
            case FactRef(name):
                fact = self._fact(name)
                return fact if isinstance(fact, int | float) else math.nan
            case Negative(operand):
                return -self._number(operand)
            case Arithmetic(sign, left, right):
                # numpy's floats, because they divide by zero without an exception.
                a, b = np.float64(self._number(left)), np.float64(self._number(right))
                return float(_COMPUTE[sign](a, b))  # type: ignore[arg-type]
            case Call("weekly", (operand,)):
                if self._weeks is None:
                    self._weeks = _Share(weekly(self._history), self._measure)
                return self._weeks._number(operand)
            case Call("abs", (operand,)):
                return abs(self._number(operand))
            case _:
                raise AssertionError(f"the grammar lets no {node} be a number")

    def _series(self, node: Node) -> Floats:
        if not isinstance(node, Call):
            return self._computed(node)  # uncached: hashing a long chain costs more than computing it
        if node not in self._cache:
            self._cache[node] = self._computed(node)
        return self._cache[node]

    def _computed(self, node: Node) -> Floats:
        match node:
            case Number(value):
                return np.full(self._history.close.size, value)
            case Series(name):
                values: Floats = getattr(self._history, name)
                return values
            case Negative(operand):
                return -self._series(operand)
            case Arithmetic(sign, left, right):
                return _COMPUTE[sign](self._series(left), self._series(right))
            case Call("abs", (operand,)):
                return np.abs(self._series(operand))
            case Call("ago", (operand,), days):
                values = self._series(operand)
                return np.concatenate((np.full(min(days, values.size), math.nan), values[:-days]))
            case Call("atr" | "adx" as function, (), days):
                of_day = indicators.atr if function == "atr" else indicators.adx
                return _over(
                    lambda values, period: of_day(self._history.high, self._history.low, values, period),
                    self._history.close,
                    days,
                )
            case Call(function, (operand,), days):
                return _over(_OVER[function], self._series(operand), days)
            case _:
                raise AssertionError(f"the grammar gives {node} no value a session")


def _over(function: Callable[[Floats, int], Floats], values: Floats, days: int) -> Floats:
    """Apply a function after the last NaN: a running sum would carry it on, an extreme would skip it."""
    gaps = np.flatnonzero(~np.isfinite(values))
    start = int(gaps[-1]) + 1 if gaps.size else 0
    found = np.full(values.size, math.nan)
    if values.size - start >= days:
        found[start:] = function(values[start:], days)
    return found


def _margin(sign: str, value: float, bound: float) -> float | None:
    if sign in {"==", "!="}:
        return None
    return _rounded(value - bound if sign in {">", ">="} else bound - value)


def _unit(node: Node) -> str:
    if isinstance(node, Series):
        return "shares" if node.name == "volume" else "₹"
    return unit_of(node.name) if isinstance(node, FactRef) else ""


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _plain(value: float) -> str:
    return f"{value:.2f}".removesuffix(".00") if math.isfinite(value) else "unknown"
