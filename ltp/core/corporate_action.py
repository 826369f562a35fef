"""A split, a bonus or a consolidation: so many new shares for so many old ones from a day on, and how people write that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from ltp.core.exchange_csv import Sheet, parse_day, sheet
from ltp.errors import InputError

State = Literal["detected", "confirmed", "dismissed"]
MAX_SHARES: Final = 10_000

_PAIR = re.compile(r"(\d{1,5}) ?[:/] ?(\d{1,5})", re.ASCII)
_BONUS = re.compile(r"bonus\D{0,40}?(\d{1,3}) ?: ?(\d{1,3})", re.ASCII | re.IGNORECASE)
# As NSE words it, Face Value Split (Sub-Division) - From Rs 10/- Per Share To Re 1/- Per Share; and as people type it.
_SPLIT = re.compile(
    r"(?:split|sub-?division|consolidation)\D*?(\d+(?:\.\d+)?)(?:/-)?(?: per share)?\s*(?:to|:)\s*(?:r[se]\.?)? ?(\d+(?:\.\d+)?)",
    re.ASCII | re.IGNORECASE,
)
RATIO_ACCEPTED: Final = "new shares for old ones such as 5:1, or words such as bonus 1:1, split 10:2 (face values)"


class Action(NamedTuple):
    """`numerator` shares for each `denominator` held: 5:1 for a split of 10 into 2, 2:1 for a bonus of 1:1.

    From `ex_day` on prices are after it. `evidence`: why it is believed, as a sentence. `source`: who said so.
    """

    key: str
    ex_day: date
    numerator: int
    denominator: int
    state: State
    evidence: str = ""
    source: str = ""

    @property
    def ratio(self) -> str:
        return f"{self.numerator}:{self.denominator}"


class Announced(NamedTuple):
    """A line of a file of corporate actions; the symbol in capitals."""

    symbol: str
    ex_day: date
    numerator: int
    denominator: int


def parse_ratio(text: str, where: str = "ratio") -> tuple[int, int]:
    """Return numerator and denominator in lowest terms.

    A bare pair is new shares for old ones. Behind "bonus" it is shares given for shares held, behind "split" the face values,
    as companies announce them; "bonus 1:1 / split 10:2" is both at once.

    Raises:
        InputError: none of these, or no change at all.
    """
    ratio = _announced(text)
    pair = _PAIR.fullmatch(text.strip())
    if ratio is None and pair is not None and int(pair[2]):
        ratio = Fraction(int(pair[1]), int(pair[2]))
    if ratio is None or ratio in (0, 1) or max(ratio.numerator, ratio.denominator) > MAX_SHARES:
        raise InputError(where, text, RATIO_ACCEPTED)
    return ratio.numerator, ratio.denominator


def parse_file(content: bytes, name: str) -> list[Announced]:
    """Read a CSV file of actions: the columns symbol, ex_date and ratio; or NSE's own list, whose PURPOSE is read.

    Of NSE's list the dividends, meetings and other purposes without a split or bonus are passed over.

    Raises:
        InputError: names line and column of the first thing that is not accepted.
    """
    source = sheet(content, name)
    places = _places(source)
    return [found for line, cells in source.rows if (found := _line(cells, places, f"{name}, line {line}")) is not None]


def _places(source: Sheet) -> Mapping[str, int]:
    names = {
        "symbol": ("symbol",),
        "ex_date": ("exdate", "exday", "date"),
        "ratio": ("ratio",),
        "purpose": ("purpose", "subject"),
    }
    places = {
        word: source.columns[spelling]
        for word, spellings in names.items()
        for spelling in spellings
        if spelling in source.columns
    }
    lacking = [word for word in ("symbol", "ex_date") if word not in places]
    if lacking or not places.keys() & {"ratio", "purpose"}:
        raise InputError(f"{source.name}, line 1", ", ".join(source.columns), "the columns symbol, ex_date and ratio are needed")
    return places


def _line(cells: list[str], places: Mapping[str, int], where: str) -> Announced | None:
    said = {word: cells[place].strip() for word, place in places.items() if place < len(cells)}
    if not said.get("ratio") and "purpose" in places:
        ratio = _announced(said.get("purpose", ""))
        if ratio is None or ratio == 1:
            return None
        numerator, denominator = ratio.numerator, ratio.denominator
    else:
        numerator, denominator = parse_ratio(said.get("ratio", ""), f"{where}, column ratio")
    day = parse_day(said.get("ex_date", ""))
    if day is None:
        raise InputError(f"{where}, column ex_date", said.get("ex_date", ""), "a date such as 2025-06-16 or 16-Jun-2025")
    if not said.get("symbol"):
        raise InputError(f"{where}, column symbol", "", "an exchange symbol such as BAJFINANCE")
    return Announced(said["symbol"].upper(), day, numerator, denominator)


def _announced(text: str) -> Fraction | None:
    ratios = list(_ratios(text))
    product = Fraction(1)
    for ratio in ratios:
        product *= ratio
    return product if ratios else None


def _ratios(text: str) -> Iterator[Fraction]:
    bonus, split = _BONUS.search(text), _SPLIT.search(text)
    if bonus and int(bonus[2]):
        yield Fraction(int(bonus[1]) + int(bonus[2]), int(bonus[2]))
    if split and float(split[2]) > 0:
        yield Fraction(split[1]) / Fraction(split[2])
