"""What an exchange announces of a share in a few words, read whole or not at all.

"Bonus 4:1/Fv Splt Frm Rs 2 To Re 1" multiplies the number of equity shares by 5 and by 2. A word that is not
understood may change the meaning of those beside it ("Bonus Ncrps 4:1" gives preference shares, and the price
stays), so one such word holds the whole text. Knows no file and no date.
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

# Groups of words. A word of another group begins another part of the text; `harmless` parts leave the number
# of shares alone.
_GROUPS: Final = {
    "bonus": r"bon|bons|bonus|bonuse?s",
    "split": r"spli?t\w*|spilt|subdivision",
    "consolidation": r"conso\w*|cnsl\w*",
    "face value": "fv",
    "reduction": r"redu\w*|red|redc?t?n",
    "demerger": r"de?merg\w*|demrg\w*|dmrg\w*|spinoff|hiveoff",
    "scheme": r"sche?me?s?|sch|arr?a?n?n?ge?m\w*|argmt|agmt|amal\w*|amlg\w*|merge\w*|reconstruct\w*|restructur\w*|reorg\w*",
    "rights": r"rights?|rghts?|rhts?|rgts|rigts",
    "other securities": r"dvrs?|ncrps?|crps|ccps|ocrps|prefs?|preference|preferential|ncds?|debs?|debentures?|bonds?|warrants?",
    "harmless": r"div\w*|dvd|dv|(?:int|fin|spl|[fis])div|fin|final|interim|int|special|agm|egm|eo?gm|annual|extra\w*|general|"
    r"meeting|interest|buy\w*|book|closure|record|redemption|distribution|payment|results|quarterly|deduction|income|return",
}
_GROUP: Final = {group: re.compile(words) for group, words in _GROUPS.items()}
_SPEAKING: Final = frozenset(
    {"bonus", "split", "consolidation", "face value", "reduction", "demerger", "scheme", "misspelt"}
)
_DIVIDING: Final = frozenset({"demerger", "scheme", "reduction"})
_CHANGES: Final = frozenset({"split", "consolidation", "face value"})
_MISSPELT: Final = ("bonus", "split", "subdivision", "consolidation", "demerger", "reduction")
_FILLER: Final = re.compile(
    r"of|in|the|an?|is|at|on|by|shares?|shrs?|shs?|equity|eq|equities|units?|ordinary|stocks?|issued?|ratio|proportion|from|frm|fr|"
    r"per|each|every|held|existing|new|ex|r[se]|inr|rupees?|value|face|fully|paid|up|[-().\[\]]"
)
_NUMBERS: Final = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "ten": "10"}
_BETWEEN: Final = {":": ":", "to": "T", "into": "T", "for": "F"}
_SEPARATORS: Final = frozenset({"/", ";", "&", "+", "|", ",", "and", "cum"})
# Of the short forms these run together: rs10tore1, fvspltfrm100to1, rs2persh.
_FUSED: Final = re.compile(r"(fv|spli?t|spl|bonus|bon|deb|frm|from|tors|tore|to|rs|re|per|shares|share|sh)")
_MOST: Final = 400  # characters
_QUOTED: Final = 60
_TOKEN: Final = re.compile(r"[a-z]+|\d+(?:\.\d+)?|\.\d+|\S")
_CLEANED: Final = (
    (r"[\u2010-\u2015\u2212]", "-"),
    (r"[\u2236\ua789]", ":"),
    (r"\u20b9", " rs "),
    (r"r[se]\.(?=\s*\d)", "rs "),  # the stop of Rs.2, not the point of .2
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
    """`parts`: what multiplies the number of equity shares, empty where nothing does or the text is held.
    `held`: why it is not used, else empty. `speaks`: it is about the number of shares or the division of the
    company at all. `divides`: it is about a demerger, a scheme or a capital reduction, after which prices
    step by a ratio that no words give.
    """

    parts: tuple[tuple[Kind, Fraction], ...] = ()
    held: str = ""
    speaks: bool = False
    divides: bool = False


class _Held(Exception):
    """A part that is not understood."""


def parse(text: str) -> Reading:
    """Read an announcement such as Bonus 1:1 / Dividend - Rs 5 Per Share."""
    if len(text) > _MOST:
        return Reading(held=f"it is longer than {_MOST} characters", speaks=True)
    parts = [_Part(words) for words in _parts(_words(text))]
    if not any(part.groups & _SPEAKING for part in parts):
        unread = next((held for part in parts if (held := part.unread_face_values())), "")
        return Reading(held=unread, speaks=bool(unread))
    found: dict[Kind, Fraction] = {}
    try:
        _refuse_others(parts)
        for part in parts:
            for kind, ratio in part.read():
                if kind in found:
                    raise _Held(f"it announces a {kind} twice")
                found[kind] = ratio
    except _Held as reason:
        divides = any(part.groups & _DIVIDING for part in parts) and not any(part.others for part in parts)
        return Reading(held=str(reason), speaks=True, divides=divides)
    return Reading(tuple(found.items()), speaks=True)


def _refuse_others(parts: list[_Part]) -> None:
    for part in parts:
        if part.others:
            raise _Held(
                f"{' '.join(part.others)!r} means other securities, which leave the number of equity shares as it is"
            )


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).lower()
    for pattern, by in _CLEANED:
        plain = re.sub(pattern, by, plain)
    words = [each for word in _TOKEN.findall(plain) for each in _cut(word)]
    return [_meant(words, at) for at in range(len(words))]


def _cut(word: str) -> Iterator[str]:
    """Give the words that were run together into one, or the word itself."""
    if (
        word.isalpha()
        and not _known(word)
        and not _is_filler(word)
        and word not in _BETWEEN
        and not _FUSED.sub("", word)
    ):
        for each in _FUSED.findall(word):
            yield from ("to", "rs") if each in ("tors", "tore") else (each,)
    else:
        yield _NUMBERS.get(word, word)


def _meant(words: list[str], at: int) -> str:
    """Return a word, of two words that have two meanings the one meant here.

    "spl" is a split where face values follow or it is of them, else a special dividend. "fv" is a change of
    the face value where two follow, else a mere mention.
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
    """Give the words of each part: separated, or begun by a word of another group."""
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
    """Return N for each number, what stands between them, X for a word that is not understood; fillers left
    out.
    """
    signs = ("N" if word[-1].isdigit() else _BETWEEN.get(word, "X") for word in words if not _is_filler(word))
    return "".join(signs)


class _Part:
    def __init__(self, words: list[str]) -> None:
        self._words = words
        self.others = [word for word in words if _group(word) == "other securities"]
        self.groups = {group for word in words if (group := _group(word))}

    def read(self) -> Iterator[tuple[Kind, Fraction]]:
        """Give the ratio of this part, nothing for a harmless one.

        Raises:
            _Held
        """
        for group in ("demerger", "scheme", "reduction", "rights", "misspelt"):
            if group in self.groups:
                raise _Held(f"{self._quoted()} gives no ratio of equity shares")
        if "bonus" in self.groups:
            yield "bonus", self._bonus()
        elif self.groups & {"split", "consolidation"}:
            yield "split", self._split()
        elif "face value" in self.groups or ("harmless" not in self.groups and _signature(self._words)):
            raise _Held(f"{self._quoted()} is not understood")

    def unread_face_values(self) -> str:
        """Return why words about something else than a split cannot be used that name two sums, as only a
        split does.
        """
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
            raise _Held(f"{self._quoted()} names no ratio of equity shares such as 1:1")
        return (numbers[0] + numbers[1]) / numbers[1]

    def _split(self) -> Fraction:
        signature, numbers = self._ratio("split", "consolidation", "face value")
        if signature == "NNTNN" and numbers[0] and numbers[1] * numbers[0] == numbers[2] * numbers[3]:
            numbers = [numbers[1], numbers[3]]  # 1 share of Rs 10 into 5 shares of Rs 2
        elif signature not in ("NTN", "N:N"):
            raise _Held(f"{self._quoted()} names no two face values such as Rs 10 to Rs 2")
        if 0 in numbers or numbers[0] == numbers[1]:
            raise _Held(f"{self._quoted()} changes nothing")
        joined = "consolidation" in self.groups
        if "rs" in self._words and signature != "N:N" and joined != (numbers[0] < numbers[1]):
            raise _Held(
                f"{self._quoted()} names a {'consolidation' if joined else 'split'} and face values that are none"
            )
        ratio = max(numbers) / min(numbers)
        return 1 / ratio if joined else ratio

    def _ratio(self, *groups: str) -> tuple[str, list[Fraction]]:
        words = [word for word in self._words if _group(word) not in groups]
        return _signature(words), [Fraction(word) for word in words if word[-1].isdigit()]

    def _quoted(self) -> str:
        return repr(" ".join(self._words)[:_QUOTED])
