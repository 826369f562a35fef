"""Texts that an operator wrote: whether one can be a host, a token or the name of a setting, and an address
without secrets.
"""

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
_LONG_NAME: Final = 8  # shorter ones may differ by a letter and both be meant
_ALIKE: Final = 0.77
_MARKS: Final = {
    "\ufeff": "a byte order mark",
    "\n": "a line end",
    "\r": "a line end",
    "\t": "a tab",
    " ": "a space",
}


def is_host(text: str) -> bool:
    """Tell whether it is an IP address or a host name, with nothing before or behind it."""
    try:
        ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        # A last part of digits is what is left of a mistyped address: the resolver would make another of it.
        return len(text) < 254 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return True


def is_quoted(text: str) -> bool:
    return len(text) > 1 and _QUOTES.get(text[0]) == text[-1]


def token_fault(text: str) -> str:
    """Name the first character that no client id or access token has, by its place, without a word of the
    rest.
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
    """Return which of the `known` names a name that is none of them was probably meant to be, "" for none.

    Other programs' names may look like ours, so one slip of the fingers is all that is forgiven. Where the
    name can be `ours` alone, likeness is enough.
    """
    names = [each for each in known if not name.startswith(f"{each}_") and name != f"{each}S"]
    # LOGLEVEL is no slip: many programs call it so.
    near = [each for each in names if _one_slip(name, each) and (ours or name != each.replace("_", ""))]
    if not near and ours and len(name) >= _LONG_NAME:
        near = get_close_matches(name, names, n=1, cutoff=_ALIKE)
    return near[0] if near else ""


def _one_slip(name: str, known: str) -> bool:
    """A letter doubled, or two that changed places; in a long name also one too many, one too few or another
    one.
    """
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
    """Return an address without its user, password and query, any of which may hold a secret; other text as
    it is.
    """
    scheme, separator, rest = url.partition("://")
    place, question, _ = rest.partition("?")
    # Up to the last @: an unencoded / or @ in a password must not let the rest of it through.
    masked = f"***@{place.rpartition('@')[2]}" if "@" in place else place
    return f"{scheme}{separator}{masked}{question and '?***'}" if separator else url
