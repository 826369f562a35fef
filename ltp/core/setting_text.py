"""Checks of an operator's text: host names, tokens, misspelt names of settings, and URLs without secrets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.IGNORECASE | re.ASCII)
_TOKEN_SIGNS: Final = frozenset("-._~+/=")
_QUOTES: Final = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019"}
_LONG_NAME: Final = 8  # characters; two shorter names may differ by a letter and both be correct
_SIMILAR: Final = 0.77
_MARKS: Final = {
    "\ufeff": "a byte order mark",
    "\n": "a line end",
    "\r": "a line end",
    "\t": "a tab",
    " ": "a space",
}


def is_host(text: str) -> bool:
    """Return whether the whole text is an IP address or a host name."""
    try:
        ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        # A last label of digits is a mistyped address, which a resolver would read as another address.
        return len(text) < 254 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return True


def is_quoted(text: str) -> bool:
    return len(text) > 1 and _QUOTES.get(text[0]) == text[-1]


def token_fault(text: str) -> str:
    """Return a sentence about the first character that no client id or access token has, else "".

    It names the position of the character and quotes nothing of the rest.
    """
    for at, character in enumerate(text, start=1):
        if not (character.isascii() and character.isalnum()) and character not in _TOKEN_SIGNS:
            name = (
                _MARKS.get(character)
                or (unicodedata.name(character, "") or f"U+{ord(character):04X}").lower()
            )
            return f"character {at} is {name}, which cannot be in it: letters, digits and -._~+/= can"
    return ""


def closest_name(name: str, known: Iterable[str], *, ours: bool) -> str:
    """Return the one of the `known` names that an unknown name is probably a misspelling of, else "".

    Settings of other programs may have similar names, so only one typing error is accepted. If the name
    begins as only names of this program do (`ours`), similarity is enough.
    """
    names = [each for each in known if not name.startswith(f"{each}_") and name != f"{each}S"]
    # LOGLEVEL is no typing error: it is the name in many programs.
    similar = [each for each in names if _one_typo(name, each) and (ours or name != each.replace("_", ""))]
    if not similar and ours and len(name) >= _LONG_NAME:
        similar = get_close_matches(name, names, n=1, cutoff=_SIMILAR)
    return similar[0] if similar else ""


def _one_typo(name: str, known: str) -> bool:
    """Return whether a letter is doubled or two are swapped; in long names also one added, lost or wrong."""
    if name[:1] != known[:1] or abs(len(name) - len(known)) > 1:
        return False
    at = next(
        (at for at, pair in enumerate(zip(name, known, strict=False)) if pair[0] != pair[1]),
        min(len(name), len(known)),
    )
    if len(name) > len(known):
        return name[at + 1 :] == known[at:] and (name[at] == name[at - 1] or len(known) >= _LONG_NAME)
    if name[at : at + 2] == known[at : at + 2][::-1] and name[at + 2 :] == known[at + 2 :]:
        return True
    return len(known) >= _LONG_NAME and name[at + (len(name) == len(known)) :] == known[at + 1 :]


def masked_url(url: str) -> str:
    """Return a URL without user, password and query, any of which may be secret; other text unchanged."""
    scheme, separator, rest = url.partition("://")
    place, question, _ = rest.partition("?")
    # Up to the last @, because a password may contain an unencoded / or @.
    masked = f"***@{place.rpartition('@')[2]}" if "@" in place else place
    return f"{scheme}{separator}{masked}{question and '?***'}" if separator else url
