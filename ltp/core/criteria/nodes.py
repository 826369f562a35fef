"""The tree of a parsed criterion: its nodes, and their canonical text.

Nodes with the same meaning are equal and hashable, so that a node that occurs twice is computed once.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class NodeKind(Enum):
    """SERIES: a number on each session. NEWEST: one of the newest session. TRUTH: yes or no. WORD: a text."""

    SERIES = "series"
    NEWEST = "newest"
    TRUTH = "truth"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    kind = NodeKind.SERIES


@dataclass(frozen=True, slots=True)
class Series:
    """open, high, low, close or volume."""

    name: str
    kind = NodeKind.SERIES


@dataclass(frozen=True, slots=True)
class FactRef:
    """A fact of `core.criteria.facts`, on the newest session."""

    name: str
    kind: NodeKind


@dataclass(frozen=True, slots=True)
class Word:
    """One of the values of a text fact, such as `up`."""

    text: str
    kind = NodeKind.WORD


@dataclass(frozen=True, slots=True)
class Call:
    """`days`: sessions (weeks within weekly()), 0 for a function that takes none."""

    function: str
    arguments: tuple[Node, ...]
    days: int
    kind: NodeKind


@dataclass(frozen=True, slots=True)
class Live:
    """A value of the newest packet, such as ltp; only in the rules of alerts."""

    name: str
    kind = NodeKind.NEWEST


@dataclass(frozen=True, slots=True)
class PlanLevel:
    """Entry, stop or target of a share's plan in a screener; only in the rules of alerts."""

    screen: str
    level: str
    kind = NodeKind.NEWEST


@dataclass(frozen=True, slots=True)
class Of:
    """A number of another instrument; only in the rules of alerts."""

    key: str
    operand: Node
    kind = NodeKind.NEWEST


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node

    @property
    def kind(self) -> NodeKind:
        return self.operand.kind


@dataclass(frozen=True, slots=True)
class Arithmetic:
    sign: str
    left: Node
    right: Node

    @property
    def kind(self) -> NodeKind:
        return NodeKind.NEWEST if NodeKind.NEWEST in (self.left.kind, self.right.kind) else NodeKind.SERIES


@dataclass(frozen=True, slots=True)
class Comparison:
    """`sign`: one of COMPARE."""

    sign: str
    left: Node
    right: Node
    kind = NodeKind.TRUTH


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node
    kind = NodeKind.TRUTH


@dataclass(frozen=True, slots=True)
class Logic:
    """`word`: and, or. At least two parts."""

    word: str
    parts: tuple[Node, ...]
    kind = NodeKind.TRUTH


Node = (
    Number
    | Series
    | FactRef
    | Word
    | Call
    | Live
    | PlanLevel
    | Of
    | Negative
    | Arithmetic
    | Comparison
    | Not
    | Logic
)

# What the sign of a comparison means for two numbers.
COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt,
    "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip

CLOSE: Final = Series("close")
_HIGH, _LOW = Series("high"), Series("low")


def over(function: str, series: Node, days: int) -> Call:
    """Return a function of a number over sessions."""
    return Call(function, (series,), days, NodeKind.SERIES)


# Facts that have a value on each session, so that functions over sessions take them.
DAILY: Final[dict[str, Node]] = {
    "price": CLOSE,
    "rsi": over("rsi", CLOSE, 14),
    "atr": Call("atr", (), 14, NodeKind.SERIES),
    "adx": Call("adx", (), 14, NodeKind.SERIES),
    "ema20": over("ema", CLOSE, 20),
    "ema50": over("ema", CLOSE, 50),
    "ema200": over("ema", CLOSE, 200),
    "sma200": over("sma", CLOSE, 200),
    "high52": over("max", _HIGH, 252),
    "low52": over("min", _LOW, 252),
    "high20": over("ago", over("max", _HIGH, 20), 1),
    "high55": over("ago", over("max", _HIGH, 55), 1),
    "low10": over("min", _LOW, 10),
}
_SHORT: Final[dict[Node, str]] = {
    node: name for name, node in DAILY.items() if name in {"high52", "low52", "high20", "high55", "low10"}
}
# Precedence: a node with a lower one than its parent's is put in parentheses.
_LOGIC: Final = {"or": 1, "and": 2}
_NOT, _COMPARISON, _NEGATIVE, _ATOM = 3, 4, 7, 8
_SIGN: Final = {"+": 5, "-": 5, "*": 6, "/": 6}


def node_text(node: Node) -> str:
    """Return the canonical text of a node; parsing it gives the node again."""
    return _text_and_precedence(node)[0]


def _text_and_precedence(node: Node) -> tuple[str, int]:
    if node in _SHORT:
        return _SHORT[node], _ATOM
    match node:
        case Number(value):
            return f"{value:.6f}".rstrip("0").rstrip("."), _ATOM
        case Series(name) | FactRef(name) | Word(name) | Live(name):
            return name, _ATOM
        case PlanLevel(screen, level):
            return f"plan({screen if screen.isidentifier() else quoted(screen)}, {level})", _ATOM
        case Of(key, operand):
            return f"of({quoted(key)}, {node_text(operand)})", _ATOM
        case Call():
            return _call(node), _ATOM
        case Negative(operand):
            return f"-{_operand(operand, _NEGATIVE)}", _NEGATIVE
        case Arithmetic(sign, left, right):
            precedence = _SIGN[sign]
            # One more on the right, because a - (b - c) is not a - b - c.
            return f"{_operand(left, precedence)} {sign} {_operand(right, precedence + 1)}", precedence
        case Comparison(sign, left, right):
            return f"{_operand(left, _COMPARISON + 1)} {sign} {_operand(right, _COMPARISON + 1)}", _COMPARISON
        case Not(operand):
            return f"not {_operand(operand, _NOT)}", _NOT
        case Logic(word, parts):
            return f" {word} ".join(_operand(part, _LOGIC[word] + 1) for part in parts), _LOGIC[word]


def quoted(name: str) -> str:
    return f'"{name}"'


def _operand(node: Node, least: int) -> str:
    text, precedence = _text_and_precedence(node)
    return f"({text})" if precedence < least else text


def _call(node: Call) -> str:
    if node.function in {"sma", "ema", "rsi", "atr", "adx"} and node.arguments in {(), (CLOSE,)}:
        return f"{node.function}{node.days}"
    arguments = [node_text(each) for each in node.arguments]
    return f"{node.function}({', '.join(arguments + ([str(node.days)] if node.days else []))})"
