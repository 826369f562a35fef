"""Announcements of corporate actions: an exchange's few words to ratios of shares.

"Bonus 4:1/Fv Splt Frm Rs 2 To Re 1" multiplies the number of equity shares by 5 and by 2. An unknown word may
change the meaning of its neighbours ("Bonus Ncrps 4:1" gives preference shares, and the price stays), so one
unknown word makes the whole text unusable.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal, NamedTuple

Kind = Literal["bonus", "split"]

# Groups of words. A word of another group begins a new part of the text. Parts of the group `harmless` do not
# change the number of shares.
_GROUPS: Final = {
    "bonus": r"bon|bons|bonus|bonuse?s",
    "split": r"spli?t\w*|spilt|subdivision",
    "consolidation": r"conso\w*|cnsl\w*",
    "face value": "fv",
    "reduction": r"redu\w*|red|redc?t?n",
    "demerger": r"de?merg\w*|demrg\w*|dmrg\w*|spinoff|hiveoff",
    "scheme": r"sche?me?s?|sch|arr?a?n?n?ge?m\w*|argmt|agmt|amal\w*|amlg\w*|merge\w*|reconstruct\w*|"
    r"restructur\w*|reorg\w*",
    "rights": r"rights?|rghts?|rhts?|rgts|rigts",
    "other securities": r"dvrs?|ncrps?|crps|ccps|ocrps|prefs?|preference|preferential|ncds?|debs?|"
    r"debentures?|bonds?|warrants?",
    "harmless": r"div\w*|dvd|dv|(?:int|fin|spl|[fis])div|fin|final|interim|int|special|agm|egm|eo?gm|annual|"
    r"extra\w*|general|meeting|interest|buy\w*|book|closure|record|redemption|distribution|payment|results|"
    r"quarterly|deduction|income|return",
}
_GROUP: Final = {group: re.compile(words) for group, words in _GROUPS.items()}
_RELEVANT: Final = frozenset(
    {"bonus", "split", "consolidation", "face value", "reduction", "demerger", "scheme", "misspelt"}
)
_DIVIDING: Final = frozenset({"demerger", "scheme", "reduction"})
_CHANGES: Final = frozenset({"split", "consolidation", "face value"})
_MISSPELT: Final = ("bonus", "split", "subdivision", "consolidation", "demerger", "reduction")
_FILLER: Final = re.compile(
    r"of|in|the|an?|is|at|on|by|shares?|shrs?|shs?|equity|eq|equities|units?|ordinary|stocks?|issued?|ratio|"
    r"proportion|from|frm|fr|per|each|every|held|existing|new|ex|r[se]|inr|rupees?|value|face|fully|paid|up|"
    r"[-().\[\]]"
)
_NUMBERS: Final = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "ten": "10"}
_CONNECTORS: Final = {":": ":", "to": "T", "into": "T", "for": "F"}
_SEPARATORS: Final = frozenset({"/", ";", "&", "+", "|", ",", "and", "cum"})
# Short forms that occur without spaces between them: rs10tore1, fvspltfrm100to1, rs2persh.
_FUSED: Final = re.compile(r"(fv|spli?t|spl|bonus|bon|deb|frm|from|tors|tore|to|rs|re|per|shares|share|sh)")
_MAX_LENGTH: Final = 400  # characters
_QUOTED: Final = 60
_TOKEN: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)?|\.\d+|\S")
_CLEANED: Final = (
    (r"[\u2010-\u2015\u2212]", "-"),
    (r"[\u2236\ua789]", ":"),
    (r"\u20b9", " rs "),
    (r"r[se]\.(?=\s*\d)", "rs "),  # the full stop of Rs.2, not the decimal point of .2
    (r"(?<=\d),(?=\d{3}\b)", ""),
    (r"/[-=]|(?<=\d)/(?=\s|$)", " "),  # 10/- and 10/
    (r"\bf\s*\.?\s*v\s*\.|\bface\s*valu?e?s?\b", "fv"),
    (r"reverse\s+(?:stock\s+|share\s+)?split", "consolidation"),
    (r"\bsub\s*-?\s*div\w*", "subdivision"),
    (r"\bde\s*-\s*merg", "demerg"),
    (r"\b(spin|hive)\s*-?\s*(?:ned\s*)?off\b", r"\1off"),
    (r"(?<=\d)\s*-\s*(?=(?:r[se])?\s*\d)", " to "),
    (r"(?<=\d)\s*/\s*(?=\d)", ":"),
)  # fmt: skip


class Reading(NamedTuple):
    """The meaning of an announcement.

    `parts`: the factors of the number of equity shares, empty if there are none or the text is unusable.
    `refusal`: why the text is unusable, else empty. `relevant`: it is about the number of shares or the
    division of the company. `divides`: it is about a demerger, a scheme or a capital reduction, after which
    the price steps by a ratio that the words do not contain.
    """

    parts: tuple[tuple[Kind, Fraction], ...] = ()
    refusal: str = ""
    relevant: bool = False
    divides: bool = False


class _NotUnderstood(Exception):
    """Why a part of an announcement is unusable."""


def parse(text: str) -> Reading:
    """Parse an announcement such as Bonus 1:1 / Dividend - Rs 5 Per Share. Never raises."""
    if len(text) > _MAX_LENGTH:
        return Reading(refusal=f"it is longer than {_MAX_LENGTH} characters", relevant=True)
    parts = [_Part(words) for words in _parts(_words(text))]
    if not any(part.groups & _RELEVANT for part in parts):
        refusal = next((found for part in parts if (found := part.unread_face_values())), "")
        return Reading(refusal=refusal, relevant=bool(refusal))
    ratios: dict[Kind, Fraction] = {}
    try:
        _refuse_other_securities(parts)
        for part in parts:
            for kind, ratio in part.ratios():
                if kind in ratios:
                    raise _NotUnderstood(f"it announces a {kind} twice")
                ratios[kind] = ratio
    except _NotUnderstood as reason:
        other_securities = any(part.other_securities for part in parts)
        divides = any(part.groups & _DIVIDING for part in parts) and not other_securities
        return Reading(refusal=str(reason), relevant=True, divides=divides)
    return Reading(tuple(ratios.items()), relevant=True)


def _refuse_other_securities(parts: list[_Part]) -> None:
    for part in parts:
        if part.other_securities:
            raise _NotUnderstood(
                f"{' '.join(part.other_securities)!r} means other securities, "
                "which leave the number of equity shares as it is"
            )


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).lower()
    for pattern, by in _CLEANED:
        plain = re.sub(pattern, by, plain)
    words = [each for word in _TOKEN.findall(plain) for each in _separated(word)]
    return [_disambiguated(words, at) for at in range(len(words))]


def _separated(word: str) -> Iterator[str]:
    """Yield the short forms that a word consists of, or the word itself."""
    if (
        word.isalpha()
        and not _known(word)
        and not _is_filler(word)
        and word not in _CONNECTORS
        and not _FUSED.sub("", word)
    ):
        for each in _FUSED.findall(word):
            yield from ("to", "rs") if each in ("tors", "tore") else (each,)
    else:
        yield _NUMBERS.get(word, word)


def _disambiguated(words: list[str], at: int) -> str:
    """Return the word, and for the ambiguous "spl" and "fv" their meaning here.

    "spl" is a split if face values follow or "fv" precedes, else a special dividend. "fv" is a change of the
    face value if two numbers follow, else it only names the face value.
    """
    word = words[at]
    if word not in ("spl", "fv"):
        return word
    two_follow = re.match(
        "N[T:]N", _signature([each for each in words[at + 1 : at + 9] if each not in ("fv", "spl")])
    )
    if word == "fv":
        return "fv" if two_follow else "face"
    return "split" if two_follow or words[at - 1 : at] == ["fv"] else "special"


@lru_cache(maxsize=4096)
def _group(word: str) -> str:
    known = _known(word)
    if known or len(word) <= 3 or _is_filler(word):
        return known
    return (
        "misspelt" if word.startswith(_MISSPELT) or difflib.get_close_matches(word, _MISSPELT, 1, 0.8) else ""
    )


@lru_cache(maxsize=4096)
def _known(word: str) -> str:
    return next((group for group, pattern in _GROUP.items() if pattern.fullmatch(word)), "")


@lru_cache(maxsize=4096)
def _is_filler(word: str) -> bool:
    return _FILLER.fullmatch(word) is not None


def _parts(words: list[str]) -> Iterator[list[str]]:
    """Yield the words of each part. A separator or a word of another group begins a new part."""
    part: list[str] = []
    inside = ""
    for word in words:
        group = _group(word)
        group = "split" if group in _CHANGES else group
        if word in _SEPARATORS or (inside and group and group not in (inside, "other securities")):
            yield part
            part, inside = [], ""
        if word not in _SEPARATORS:
            part.append(word)
            inside = inside or group
    yield part


def _signature(words: list[str]) -> str:
    """Return one letter a word without fillers: N a number, : T F a connector, X an unknown word."""
    letters = (
        "N" if word[-1].isdigit() else _CONNECTORS.get(word, "X") for word in words if not _is_filler(word)
    )
    return "".join(letters)


class _Part:
    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.other_securities = [word for word in words if _group(word) == "other securities"]
        self.groups = {group for word in words if (group := _group(word))}

    def ratios(self) -> Iterator[tuple[Kind, Fraction]]:
        """Yield the ratio of this part, nothing for a harmless part. Raises _NotUnderstood."""
        for group in ("demerger", "scheme", "reduction", "rights", "misspelt"):
            if group in self.groups:
                raise _NotUnderstood(f"{self._quoted()} gives no ratio of equity shares")
        if "bonus" in self.groups:
            yield "bonus", self._bonus()
        elif self.groups & {"split", "consolidation"}:
            yield "split", self._split()
        elif "face value" in self.groups or ("harmless" not in self.groups and _signature(self._words)):
            raise _NotUnderstood(f"{self._quoted()} is not understood")

    def unread_face_values(self) -> str:
        """Return why a part of unknown words is unusable: it has two sums of rupees, as only a split has."""
        of_rupees = not self.groups and {"rs", "re"}.intersection(self._words)
        return (
            f"{self._quoted()} is not understood"
            if of_rupees and re.search("N[T:]N", _signature(self._words))
            else ""
        )

    def _bonus(self) -> Fraction:
        signature, numbers = self._ratio("bonus")
        if signature not in ("N:N", "NFN") or any(
            number.denominator != 1 or not number for number in numbers
        ):
            raise _NotUnderstood(f"{self._quoted()} names no ratio of equity shares such as 1:1")
        return (numbers[0] + numbers[1]) / numbers[1]

    def _split(self) -> Fraction:
        signature, numbers = self._ratio("split", "consolidation", "face value")
        if signature == "NNTNN" and numbers[0] and numbers[1] * numbers[0] == numbers[2] * numbers[3]:
            numbers = [numbers[1], numbers[3]]  # 1 share of Rs 10 into 5 shares of Rs 2
        elif signature not in ("NTN", "N:N"):
            raise _NotUnderstood(f"{self._quoted()} names no two face values such as Rs 10 to Rs 2")
        if 0 in numbers or numbers[0] == numbers[1]:
            raise _NotUnderstood(f"{self._quoted()} changes nothing")
        consolidates = "consolidation" in self.groups
        if "rs" in self._words and signature != "N:N" and consolidates != (numbers[0] < numbers[1]):
            action = "consolidation" if consolidates else "split"
            raise _NotUnderstood(f"{self._quoted()} names a {action} and face values that are none")
        ratio = max(numbers) / min(numbers)
        return 1 / ratio if consolidates else ratio

    def _ratio(self, *groups: str) -> tuple[str, list[Fraction]]:
        words = [word for word in self._words if _group(word) not in groups]
        return _signature(words), [Fraction(word) for word in words if word[-1].isdigit()]

    def _quoted(self) -> str:
        return repr(" ".join(self._words)[:_QUOTED])
