"""The parser of criteria: text to a typed tree, or an error that names a character.

Recursive descent by hand; no part of the text is ever executed. `screen.evaluate` computes the tree.

    criterion   or
    or, and     and ("or" and)*, not ("and" not)*, "not"* comparison
    comparison  sum [(">" | ">=" | "<" | "<=" | "==" | "!=") sum]
    sum         product (("+" | "-") product)*, product likewise of factors by "*" and "/"
    factor      ["-"] number | name | name "(" arguments ")" | "(" or ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ltp.core.criteria.facts import FACT
from ltp.core.criteria.nodes import (
    CLOSE,
    DAILY,
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
    Word,
)
from ltp.core.criteria.tokens import Token, tokenize
from ltp.core.criteria.vocabulary import FACT_WORDS, FUNCTIONS, MAX_DAYS, SERIES, WORDS, Function, hint_for
from ltp.errors import CriterionError

MAX_DEPTH: Final = 12
_COMPARISONS: Final = frozenset({">", ">=", "<", "<=", "==", "!=", "="})
_NUMBERS: Final = frozenset({NodeKind.SERIES, NodeKind.NEWEST})
_SHORT = re.compile(r"([a-z]+)([0-9]+)", re.ASCII)


def parse(text: str, where: str = "criterion") -> Node:
    """Parse one criterion, such as `volume > 2 * sma(volume, 20)`.

    Args:
        where: the name of the field for the sentence of an error.
    Raises:
        CriterionError: names the character and the text that is accepted there.
    """
    return Parser(text, where).criterion()


class Parser:
    """Parses one text. `core.alerts.grammar` extends it by live names."""

    quotes = False  # are names in quotes accepted?
    series = frozenset({NodeKind.SERIES})  # the arguments of a function over sessions

    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._tokens = tokenize(text, where, quotes=self.quotes)
        self._place = self._depth = 0
        self._in_weeks = False

    def criterion(self) -> Node:
        start = self._current
        if start.kind == "end":
            raise self._error(start, "a criterion is expected, such as rsi14 > 60")
        node = self._disjunction()
        if self._current.text in _COMPARISONS:
            raise self._error(self._current, "a comparison has two sides; join two comparisons with 'and'")
        if self._current.text == ",":
            raise self._error(
                self._current, "a comma stands between what a function takes; 1,000 is written 1000"
            )
        if self._current.kind != "end":
            raise self._error(
                self._current, "an operator such as + or >, 'and', 'or' or the end is expected here"
            )
        if node.kind is not NodeKind.TRUTH:
            raise self._error(self._current, "a comparison is expected, such as > 60")
        return node

    @property
    def _current(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._current
        self._place += token.kind != "end"
        return token

    def _error(self, token: Token, accepted: str) -> CriterionError:
        return CriterionError(self._where, self._text, token.at, accepted)

    def _expect(self, sign: str, accepted: str) -> None:
        if self._take().text != sign:
            raise self._error(self._tokens[self._place - (self._current.kind != "end")], accepted)

    def _nested(self, read_inner: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(
                self._current, f"parentheses, functions and signs are nested at most {MAX_DEPTH} deep"
            )
        node = read_inner()
        self._depth -= 1
        return node

    def _typed(self, read_inner: Callable[[], Node], kinds: frozenset[NodeKind], accepted: str) -> Node:
        """Parse a node that must be of one of these kinds; an error names its first character."""
        start = self._current
        node = read_inner()
        if node.kind not in kinds:
            raise self._error(start, accepted)
        return node

    def _disjunction(self) -> Node:
        return self._joined("or", lambda: self._joined("and", self._negated))

    def _joined(self, word: str, read_part: Callable[[], Node]) -> Node:
        start, first = self._current, read_part()
        if self._current.text != word:
            return first
        if first.kind is not NodeKind.TRUTH:
            raise self._error(start, f"'{word}' joins comparisons, this is none")
        parts = [first]
        while self._current.text == word:
            self._take()
            parts.append(
                self._typed(
                    read_part, frozenset({NodeKind.TRUTH}), f"'{word}' joins comparisons, this is none"
                )
            )
        return Logic(word, tuple(parts))

    def _negated(self) -> Node:
        if self._current.text != "not":
            return self._comparison()
        self._take()
        accepted = "'not' turns a comparison round, this is none"
        return Not(self._nested(lambda: self._typed(self._negated, frozenset({NodeKind.TRUTH}), accepted)))

    def _comparison(self) -> Node:
        start, left = self._current, self._sum()
        if self._current.text not in _COMPARISONS:
            return left
        sign = self._take()
        operator = "==" if sign.text == "=" else sign.text
        if left.kind is NodeKind.WORD:
            return self._word_comparison(start, left, sign, operator)
        if left.kind is NodeKind.TRUTH:
            raise self._error(start, "a comparison compares numbers, this is a comparison itself")
        right = self._typed(self._sum, _NUMBERS, "a number, or a name that stands for one, is expected here")
        return Comparison(operator, left, right)

    def _word_comparison(self, start: Token, left: Node, sign: Token, operator: str) -> Node:
        if not isinstance(left, FactRef):
            raise self._error(start, "a fact that is a word stands first, such as trend == up")
        if operator not in {"==", "!="}:
            raise self._error(sign, f"{left.name} is a word: it is compared by == or !=")
        words, right_at = FACT_WORDS[left.name], self._current
        known = right_at.kind != "name" or right_at.text in words
        right = self._factor() if known else None
        if not isinstance(right, Word) or right.text not in words:
            raise self._error(right_at, f"{left.name} is one of {', '.join(words)}")
        return Comparison(operator, left, right)

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._factor))

    def _chain(self, signs: tuple[str, str], read_part: Callable[[], Node]) -> Node:
        start, node = self._current, read_part()
        while self._current.text in signs:
            if node.kind not in _NUMBERS:
                raise self._error(start, "only numbers are added, subtracted, multiplied and divided")
            sign, right_at = self._take(), self._current
            right = self._typed(
                read_part, _NUMBERS, "a number, or a name that stands for one, is expected here"
            )
            if sign.text == "/" and isinstance(right, Number) and right.value == 0:
                raise self._error(right_at, "nothing is divided by zero")
            node = Arithmetic(sign.text, node, right)
        return node

    def _factor(self) -> Node:
        token = self._take()
        if token.text == "-":
            accepted = "a number, or a name that stands for one, is expected after the sign"
            return Negative(self._nested(lambda: self._typed(self._factor, _NUMBERS, accepted)))
        if token.text == "(":
            node = self._nested(self._disjunction)
            self._expect(")", "a closing parenthesis is expected here")
            return node
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind != "name":
            raise self._error(
                token, "a number, a name such as close, or an opening parenthesis is expected here"
            )
        return self._call(token) if self._current.text == "(" else self._name(token)

    def _name(self, token: Token) -> Node:
        name = token.text
        if name in SERIES:
            return Series(name)
        if name in DAILY:
            return DAILY[name]
        short = _SHORT.fullmatch(name)
        if short and short[1] in FUNCTIONS and FUNCTIONS[short[1]].short:
            function = FUNCTIONS[short[1]]
            return Call(
                function.name,
                (CLOSE,) * function.numbers,
                self._days(token, short[2], function),
                NodeKind.SERIES,
            )
        if name in FACT:
            if self._in_weeks:
                raise self._error(
                    token,
                    f"weekly() takes prices, volume and functions of them; {name} is of the newest session",
                )
            return FactRef(name, NodeKind.WORD if name in FACT_WORDS else NodeKind.NEWEST)
        if name in WORDS:
            return Word(name)
        if name in FUNCTIONS:
            raise self._error(token, f"{name} is a function, such as {FUNCTIONS[name].example}")
        raise self._error(token, f"there is no such name{hint_for(name)}")

    def _call(self, token: Token) -> Node:
        function = FUNCTIONS.get(token.text)
        if function is None:
            hint = hint_for(token.text, call=True)
            raise self._error(token, f"there is no such function, there are {', '.join(FUNCTIONS)}{hint}")
        if function.name == "weekly" and self._in_weeks:
            raise self._error(token, "weekly() within weekly() has no meaning")
        self._take()
        outer, self._in_weeks = self._in_weeks, self._in_weeks or function.name == "weekly"
        call = self._nested(lambda: self._arguments(function))
        self._in_weeks = outer
        self._expect(")", f"{function.name} ends here with a closing parenthesis, as in {function.example}")
        return call

    def _arguments(self, function: Function) -> Node:
        arguments: list[Node] = []
        alone = self._current.kind == "number" and self._tokens[self._place + 1].text == ")"
        if function.short and alone:  # rsi(14), of the close
            arguments = [CLOSE] * function.numbers
        while len(arguments) < function.numbers:
            arguments.append(self._argument(function))
            if len(arguments) < function.numbers or function.least:
                self._expect(",", f"a comma is expected here, as in {function.example}")
        days = self._days(self._current, self._take().text, function) if function.least else 0
        kind = arguments[0].kind if function.newest else function.gives
        return Call(function.name, tuple(arguments), days, kind)

    def _argument(self, function: Function) -> Node:
        kinds = _NUMBERS if function.newest else frozenset({NodeKind.SERIES})
        return self._typed(
            self._sum,
            kinds,
            f"{function.name} takes prices, volume or a function of them, as in {function.example}",
        )

    def _days(self, token: Token, digits: str, function: Function) -> int:
        if not digits.isdigit() or len(digits) > 6 or not function.least <= int(digits) <= MAX_DAYS:
            raise self._error(
                token, f"{function.name} takes a whole number of sessions from {function.least} to {MAX_DAYS}"
            )
        return int(digits)
