"""The tokens of a criterion: names, numbers, words and signs with their positions."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from ltp.errors import CriterionError

MAX_LENGTH: Final = 500
MAX_TOKENS: Final = 120  # the tree of a chain is as deep as the chain is long, and functions recurse over it
_WHOLE_DIGITS, _FRACTION_DIGITS = 12, 6  # within the precision of a float
_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|"
    r"(?P<sign>>=|<=|==|!=|[-+*/(),<>=])",
    re.ASCII,
)
_QUOTED = re.compile(r"\"(?P<text>[A-Za-z0-9:_-]{1,64})\"", re.ASCII)
_WORDS: Final = frozenset({"and", "or", "not"})
# Signs of other languages, and the text to write here instead.
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
    """`kind`: number, name, word, sign, quoted, or end with an empty text. `text`: in small letters, of a quoted
    one as written, without its quotes.
    """

    kind: str
    text: str
    at: int


def tokenize(text: str, where: str, *, quotes: bool = False) -> list[Token]:
    """Return the tokens of a criterion; the last one is the end.

    Args:
        quotes: accept names in quotes, such as "NSE_EQ:1333".
    Raises:
        CriterionError: it is too long, or a character or number is not accepted.
    """
    if len(text) > MAX_LENGTH:
        accepted = f"a criterion has at most {MAX_LENGTH} characters, this has {len(text):,}"
        raise CriterionError(where, text, MAX_LENGTH, accepted)
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        quoted = _QUOTED.match(text, at) if quotes else None
        if quoted is not None:
            tokens.append(Token("quoted", quoted["text"], at))
            at = quoted.end()
            continue
        match = _TOKEN.match(text, at)
        if match is None or text[at : at + 2] in _INSTEAD:
            raise CriterionError(where, text, at, _meaningless(text[at : at + 2]))
        token = Token(str(match.lastgroup), match[0].lower(), at)
        at = match.end()
        if token.kind == "number":
            _check_number(token, text, at, where)
        if len(tokens) == MAX_TOKENS:
            accepted = f"a criterion has at most {MAX_TOKENS} words, numbers and signs"
            raise CriterionError(where, text, token.at, accepted)
        tokens.append(token._replace(kind="word") if token.text in _WORDS else token)
    return [*tokens, Token("end", "", len(text))]


def _check_number(token: Token, text: str, end: int, where: str) -> None:
    whole, _, fraction = token.text.partition(".")
    glued = end < len(text) and (text[end].isalnum() or text[end] in "._")  # 1e999, 0x10, 1.2.3
    if glued or len(whole.lstrip("0")) > _WHOLE_DIGITS or len(fraction) > _FRACTION_DIGITS:
        accepted = (
            f"a number is digits such as 60 or 2.5, at most {_WHOLE_DIGITS} before "
            f"and {_FRACTION_DIGITS} after the point"
        )
        raise CriterionError(where, text, end if glued else token.at, accepted)


def _meaningless(text: str) -> str:
    """Return the sentence for one or two unknown characters, with a replacement if there is one."""
    sign = text if text in _INSTEAD else text[0]
    hint = f"; write {_INSTEAD[sign]}" if sign in _INSTEAD else ""
    return f"{repr(sign) if len(sign) > 1 else _described(sign)} has no meaning in a criterion{hint}"


def _described(character: str) -> str:
    """Return a character in quotes; one that is invisible or looks like another by its Unicode name."""
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return f"{character!r}" if character.isascii() and character.isprintable() else f"the character {name}"
