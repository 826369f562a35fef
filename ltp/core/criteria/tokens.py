"""A criterion's text to its words, numbers and signs, each with its place."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from ltp.errors import CriterionError

MAX_LENGTH: Final = 500
MAX_TOKENS: Final = 120  # a tree of a chain is as deep as the chain is long, and what walks it recurses
_WHOLE_DIGITS, _FRACTION_DIGITS = 12, 6  # what a float still tells apart
_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>>=|<=|==|!=|[-+*/(),<>=])",
    re.ASCII,
)
_WORDS: Final = frozenset({"and", "or", "not"})
# What other languages write, and what is written here instead.
_INSTEAD: Final = {
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "&&": "and",
    "||": "or",
    "&": "and",
    "|": "or",
    "!": "not",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "−": "-",
    "×": "*",
    "÷": "/",
    "%": "the number alone, 5 for 5%",
}


class Token(NamedTuple):
    """`kind`: number, name, word, sign or end, whose text is empty. `text` in small letters. `at` counts from
    0.
    """

    kind: str
    text: str
    at: int


def refusal(where: str, text: str, at: int, accepted: str) -> CriterionError:
    return CriterionError(where, text, at, accepted)


def tokenize(text: str, where: str) -> list[Token]:
    """Split a criterion; the last token is the end.

    Raises:
        CriterionError: it is too long, or a character or number is not accepted.
    """
    if len(text) > MAX_LENGTH:
        raise refusal(
            where,
            text,
            MAX_LENGTH,
            f"a criterion has at most {MAX_LENGTH} characters, this has {len(text):,}",
        )
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if match is None or text[at : at + 2] in _INSTEAD:
            raise refusal(where, text, at, _meaningless(text[at : at + 2]))
        token = Token(str(match.lastgroup), match[0].lower(), at)
        at = match.end()
        if token.kind == "number":
            _check_number(token, text, at, where)
        if len(tokens) == MAX_TOKENS:
            raise refusal(
                where, text, token.at, f"a criterion has at most {MAX_TOKENS} words, numbers and signs"
            )
        tokens.append(token._replace(kind="word") if token.text in _WORDS else token)
    return [*tokens, Token("end", "", len(text))]


def _check_number(token: Token, text: str, end: int, where: str) -> None:
    whole, _, fraction = token.text.partition(".")
    glued = end < len(text) and (text[end].isalnum() or text[end] in "._")  # 1e999, 0x10, 1.2.3
    if glued or len(whole.lstrip("0")) > _WHOLE_DIGITS or len(fraction) > _FRACTION_DIGITS:
        raise refusal(
            where,
            text,
            end if glued else token.at,
            f"a number is digits such as 60 or 2.5, at most {_WHOLE_DIGITS} before and {_FRACTION_DIGITS} "
            f"after the point",
        )


def _meaningless(text: str) -> str:
    """Say that one or both of two characters mean nothing, and what to write in their place where that is
    known.
    """
    sign = text if text in _INSTEAD else text[0]
    hint = f"; write {_INSTEAD[sign]}" if sign in _INSTEAD else ""
    return f"{repr(sign) if len(sign) > 1 else _described(sign)} has no meaning in a criterion{hint}"


def _described(character: str) -> str:
    """A letter that looks like another is told by its name; what cannot be seen, too."""
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return f"{character!r}" if character.isascii() and character.isprintable() else f"the character {name}"
