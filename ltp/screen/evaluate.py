"""A custom screen's criteria on one share: which are met on the newest session, by what value and by how
much.

What a criterion may say is settled by `core.criteria.parser`; here it becomes numbers. Where the warm-up of a
function is not over, or a division has no answer, the outcome is unknown, and what is unknown is not met.
Knows no SQL and no universe.
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

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
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
    """Return what each criterion says of a share on its newest session; those joined by a plain `and` one by
    one.

    Args:
        facts: measures the share; called at most once, and only where a criterion names a fact of the newest
            session.
    """
    share = _Share(history, facts)
    with np.errstate(all="ignore"):
        return tuple(share.outcome(part) for node in criteria for part in _parts(node))


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Logic) and node.word == "and":
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node


class _Share:
    """One share, or its weeks; what was computed is kept, for criteria repeat themselves."""

    def __init__(self, history: History, facts: Callable[[], Facts]) -> None:
        self._history, self._measure = history, facts
        self._facts: Facts | None = None
        self._weeks: _Share | None = None
        self._held: dict[Call, Floats] = {}

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

    def _truth(self, node: Node) -> bool | None:
        """Return None for unknown: what would decide is not known."""
        match node:
            case Comparison(sign, left, right) if left.kind is NodeKind.WORD:
                word = self._word(left)
                return None if word is None else (word == node_text(right)) == (sign == "==")
            case Comparison(sign, left, right):
                a, b = self._number(left), self._number(right)
                return _COMPARE[sign](a, b) if math.isfinite(a) and math.isfinite(b) else None
            case Not(of):
                inner = self._truth(of)
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
        """Return the value on the newest session, NaN where it is not known."""
        if node.kind is NodeKind.SERIES:
            values = self._series(node)
            return float(values[-1]) if values.size else math.nan
        match node:
            case FactRef(name):
                fact = self._fact(name)
                return fact if isinstance(fact, int | float) else math.nan
            case Negative(of):
                return -self._number(of)
            case Arithmetic(sign, left, right):
                a, b = np.float64(self._number(left)), np.float64(self._number(right))
                return float(_COMPUTE[sign](a, b))  # type: ignore[arg-type]  # numpy divides by zero without an exception
            case Call("weekly", (of,)):
                if self._weeks is None:
                    self._weeks = _Share(weekly(self._history), self._measure)
                return self._weeks._number(of)
            case Call("abs", (of,)):
                return abs(self._number(of))
            case _:
                raise AssertionError(f"the grammar lets no {node} be a number")

    def _series(self, node: Node) -> Floats:
        if not isinstance(node, Call):
            return self._computed(node)  # quicker than finding it: a chain's hash is as long as the chain
        if node not in self._held:
            self._held[node] = self._computed(node)
        return self._held[node]

    def _computed(self, node: Node) -> Floats:
        match node:
            case Number(value):
                return np.full(self._history.close.size, value)
            case Series(name):
                values: Floats = getattr(self._history, name)
                return values
            case Negative(of):
                return -self._series(of)
            case Arithmetic(sign, left, right):
                return _COMPUTE[sign](self._series(left), self._series(right))
            case Call("abs", (of,)):
                return np.abs(self._series(of))
            case Call("ago", (of,), days):
                values = self._series(of)
                return np.concatenate((np.full(min(days, values.size), math.nan), values[:-days]))
            case Call("atr" | "adx" as function, (), days):
                of_day = indicators.atr if function == "atr" else indicators.adx
                return _over(
                    lambda values, period: of_day(self._history.high, self._history.low, values, period),
                    self._history.close,
                    days,
                )
            case Call(function, (of,), days):
                return _over(_OVER[function], self._series(of), days)
            case _:
                raise AssertionError(f"the grammar gives {node} no value a session")


def _over(function: Callable[[Floats, int], Floats], values: Floats, days: int) -> Floats:
    """Apply a function to what follows the last gap: a running sum would carry one NaN to the end, an extreme
    step over it.
    """
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
