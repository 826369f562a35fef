"""The grammar of a criterion: text to a tree that is known to make sense, or one sentence that points at a
character.

Recursive descent by hand; nothing of the text is ever executed. Knows no share: `screen.evaluate` says what a
tree yields.

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
    Logic,
    Measured,
    Negative,
    Node,
    NodeKind,
    Not,
    Number,
    Series,
    Word,
)
from ltp.core.criteria.tokens import Token, refusal, tokenize
from ltp.core.criteria.vocabulary import FACT_WORDS, FUNCTIONS, MAX_DAYS, SERIES, WORDS, Function, nearest
from ltp.errors import CriterionError

MAX_DEPTH: Final = 12
_COMPARISONS: Final = frozenset({">", ">=", "<", "<=", "==", "!=", "="})
_NUMBERS: Final = frozenset({NodeKind.SERIES, NodeKind.NEWEST})
_SHORT = re.compile(r"([a-z]+)([0-9]+)", re.ASCII)


def parse(text: str, where: str = "criterion") -> Node:
    """Read one criterion, such as `volume > 2 * sma(volume, 20)`.

    Args:
        where: names the field in the sentence of an error.
    Raises:
        CriterionError: names the character and what is accepted there.
    """
    return _Parser(text, where).criterion()


class _Parser:
    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        self._tokens = tokenize(text, where)
        self._place = self._depth = 0
        self._in_weeks = False

    def criterion(self) -> Node:
        start = self._now
        if start.kind == "end":
            raise self._refusal(start, "a criterion is expected, such as rsi14 > 60")
        node = self._either()
        if self._now.text in _COMPARISONS:
            raise self._refusal(self._now, "a comparison has two sides; join two comparisons with 'and'")
        if self._now.text == ",":
            raise self._refusal(
                self._now, "a comma stands between what a function takes; 1,000 is written 1000"
            )
        if self._now.kind != "end":
            raise self._refusal(
                self._now, "an operator such as + or >, 'and', 'or' or the end is expected here"
            )
        if node.kind is not NodeKind.TRUTH:
            raise self._refusal(self._now, "a comparison is expected, such as > 60")
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._now
        self._place += token.kind != "end"
        return token

    def _refusal(self, token: Token, accepted: str) -> CriterionError:
        return refusal(self._where, self._text, token.at, accepted)

    def _expect(self, sign: str, accepted: str) -> None:
        if self._take().text != sign:
            raise self._refusal(self._tokens[self._place - (self._now.kind != "end")], accepted)

    def _nested(self, read_inner: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refusal(
                self._now, f"parentheses, functions and signs are nested at most {MAX_DEPTH} deep"
            )
        node = read_inner()
        self._depth -= 1
        return node

    def _typed(self, read_inner: Callable[[], Node], kinds: frozenset[NodeKind], accepted: str) -> Node:
        """Read a node that must be of one of these kinds; the sentence points at where it begins."""
        start = self._now
        node = read_inner()
        if node.kind not in kinds:
            raise self._refusal(start, accepted)
        return node

    def _either(self) -> Node:
        return self._joined("or", lambda: self._joined("and", self._negated))

    def _joined(self, word: str, read_part: Callable[[], Node]) -> Node:
        start, first = self._now, read_part()
        if self._now.text != word:
            return first
        if first.kind is not NodeKind.TRUTH:
            raise self._refusal(start, f"'{word}' joins comparisons, this is none")
        parts = [first]
        while self._now.text == word:
            self._take()
            parts.append(
                self._typed(
                    read_part, frozenset({NodeKind.TRUTH}), f"'{word}' joins comparisons, this is none"
                )
            )
        return Logic(word, tuple(parts))

    def _negated(self) -> Node:
        if self._now.text != "not":
            return self._comparison()
        self._take()
        accepted = "'not' turns a comparison round, this is none"
        return Not(self._nested(lambda: self._typed(self._negated, frozenset({NodeKind.TRUTH}), accepted)))

    def _comparison(self) -> Node:
        start, left = self._now, self._sum()
        if self._now.text not in _COMPARISONS:
            return left
        sign = self._take()
        operator = "==" if sign.text == "=" else sign.text
        if left.kind is NodeKind.WORD:
            return self._of_words(start, left, sign, operator)
        if left.kind is NodeKind.TRUTH:
            raise self._refusal(start, "a comparison compares numbers, this is a comparison itself")
        right = self._typed(self._sum, _NUMBERS, "a number, or a name that stands for one, is expected here")
        return Comparison(operator, left, right)

    def _of_words(self, start: Token, left: Node, sign: Token, operator: str) -> Node:
        if not isinstance(left, Measured):
            raise self._refusal(start, "a fact that is a word stands first, such as trend == up")
        if operator not in {"==", "!="}:
            raise self._refusal(sign, f"{left.name} is a word: it is compared by == or !=")
        words, right_at = FACT_WORDS[left.name], self._now
        known = right_at.kind != "name" or right_at.text in words
        right = self._factor() if known else None
        if not isinstance(right, Word) or right.text not in words:
            raise self._refusal(right_at, f"{left.name} is one of {', '.join(words)}")
        return Comparison(operator, left, right)

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._factor))

    def _chain(self, signs: tuple[str, str], read_part: Callable[[], Node]) -> Node:
        start, node = self._now, read_part()
        while self._now.text in signs:
            if node.kind not in _NUMBERS:
                raise self._refusal(start, "only numbers are added, subtracted, multiplied and divided")
            sign, right_at = self._take(), self._now
            right = self._typed(
                read_part, _NUMBERS, "a number, or a name that stands for one, is expected here"
            )
            if sign.text == "/" and isinstance(right, Number) and right.value == 0:
                raise self._refusal(right_at, "nothing is divided by zero")
            node = Arithmetic(sign.text, node, right)
        return node

    def _factor(self) -> Node:
        token = self._take()
        if token.text == "-":
            accepted = "a number, or a name that stands for one, is expected after the sign"
            return Negative(self._nested(lambda: self._typed(self._factor, _NUMBERS, accepted)))
        if token.text == "(":
            node = self._nested(self._either)
            self._expect(")", "a closing parenthesis is expected here")
            return node
        if token.kind == "number":
            return Number(float(token.text))
        if token.kind != "name":
            raise self._refusal(
                token, "a number, a name such as close, or an opening parenthesis is expected here"
            )
        return self._call(token) if self._now.text == "(" else self._named(token)

    def _named(self, token: Token) -> Node:
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
                raise self._refusal(
                    token,
                    f"weekly() takes prices, volume and functions of them; {name} is of the newest session",
                )
            return Measured(name, NodeKind.WORD if name in FACT_WORDS else NodeKind.NEWEST)
        if name in WORDS:
            return Word(name)
        if name in FUNCTIONS:
            raise self._refusal(token, f"{name} is a function, such as {FUNCTIONS[name].example}")
        raise self._refusal(token, f"there is no such name{nearest(name)}")

    def _call(self, token: Token) -> Node:
        function = FUNCTIONS.get(token.text)
        if function is None:
            hint = nearest(token.text, call=True)
            raise self._refusal(token, f"there is no such function, there are {', '.join(FUNCTIONS)}{hint}")
        if function.name == "weekly" and self._in_weeks:
            raise self._refusal(token, "weekly() within weekly() has no meaning")
        self._take()
        outer, self._in_weeks = self._in_weeks, self._in_weeks or function.name == "weekly"
        call = self._nested(lambda: self._arguments(function))
        self._in_weeks = outer
        self._expect(")", f"{function.name} ends here with a closing parenthesis, as in {function.example}")
        return call

    def _arguments(self, function: Function) -> Node:
        of: list[Node] = []
        alone = self._now.kind == "number" and self._tokens[self._place + 1].text == ")"
        if function.short and alone:  # rsi(14), of the close
            of = [CLOSE] * function.numbers
        while len(of) < function.numbers:
            of.append(self._argument(function))
            if len(of) < function.numbers or function.least:
                self._expect(",", f"a comma is expected here, as in {function.example}")
        days = self._days(self._now, self._take().text, function) if function.least else 0
        kind = of[0].kind if function.newest else function.gives
        return Call(function.name, tuple(of), days, kind)

    def _argument(self, function: Function) -> Node:
        kinds = _NUMBERS if function.newest else frozenset({NodeKind.SERIES})
        return self._typed(
            self._sum,
            kinds,
            f"{function.name} takes prices, volume or a function of them, as in {function.example}",
        )

    def _days(self, token: Token, digits: str, function: Function) -> int:
        if not digits.isdigit() or len(digits) > 6 or not function.least <= int(digits) <= MAX_DAYS:
            raise self._refusal(
                token, f"{function.name} takes a whole number of sessions from {function.least} to {MAX_DAYS}"
            )
        return int(digits)
