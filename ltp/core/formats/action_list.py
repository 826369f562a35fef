"""A CSV list of corporate actions: NSE's own, whose PURPOSE is read, or the columns symbol, ex_date and
ratio.

A row that speaks of the number of shares is returned whether it can be used or not, so that none is passed
over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from ltp.core.formats.exchange_csv import CsvTable, parse_day, read_table
from ltp.core.history import announcement
from ltp.core.history.corporate_action import MAX_SHARES, parse_parts
from ltp.core.instrument import SHARE_SERIES
from ltp.errors import InputError

_NAMES: Final = {
    "symbol": ("symbol",),
    "series": ("series",),
    "ex_date": ("exdate", "exday", "exdt", "date"),
    "ratio": ("ratio",),
    "suggested": ("suggested",),
    "purpose": ("purpose", "subject"),
}
_DAY_ACCEPTED: Final = "a date such as 2025-06-16 or 16-Jun-2025"


class ActionRow(NamedTuple):
    """A row that speaks of a bonus, a split, a consolidation, a capital reduction or a demerger.

    `parts`: kind and ratio of each thing announced. `held`: why the row cannot be used, else empty. `apart`:
    it is of another series, so that the rows beside it can be used without it. `divides`: as of
    `announcement.Reading`.
    """

    line: int
    symbol: str
    ex_day: date | None
    text: str
    parts: tuple[tuple[str, Fraction], ...] = ()
    held: str = ""
    apart: bool = False
    divides: bool = False


def parse(content: bytes, name: str) -> list[ActionRow]:
    """Read a list. Rows about dividends, meetings and the like are left out.

    Raises:
        InputError: columns are missing, or a row of the column ratio is wrong; names line and column.
    """
    source = read_table(content, name)
    places = _places(source)
    found: list[ActionRow] = []
    for line, cells in source.rows:
        said = {word: cells[place].strip() for word, place in places.items() if place < len(cells)}
        where = f"{name}, line {line}"
        found += (
            _given(line, said, where) if said.get("ratio") or not _announces(said) else _announced(line, said)
        )
    return found


def together(rows: Sequence[ActionRow]) -> tuple[Fraction, str]:
    """Return the ratio of all rows of one share and day, which multiply, or a sentence why none of them can
    be used.

    A list may have a row once for each series: what is announced twice in the same words counts once.
    """
    for row in rows:
        if row.held:
            return Fraction(1), row.held if len(
                rows
            ) == 1 else f"line {row.line} of the same day cannot be used: {row.held}"
    announced: dict[str, set[Fraction]] = {}
    for row in rows:
        for kind, ratio in row.parts:
            announced.setdefault(kind, set()).add(ratio)
    bare = announced.pop("ratio", set())
    product = Fraction(1)
    for kind, ratios in announced.items():
        if len(ratios) > 1:
            lines = " and ".join(str(row.line) for row in rows)
            return Fraction(1), f"lines {lines} announce a different {kind} for the same day"
        product *= ratios.copy().pop()
    for ratio in bare - ({product} if announced else set()):
        product *= ratio
    if product == 1 or not 1 / MAX_SHARES <= product <= MAX_SHARES:
        return Fraction(1), f"a ratio of {product.numerator}:{product.denominator} cannot be"
    return product, ""


def _places(source: CsvTable) -> Mapping[str, int]:
    places = {
        word: source.columns[spelling]
        for word, spellings in _NAMES.items()
        for spelling in reversed(spellings)
        if spelling in source.columns
    }
    lacking = [word for word in ("symbol", "ex_date") if word not in places]
    if lacking or not places.keys() & {"ratio", "purpose"}:
        raise InputError(
            f"{source.name}, line 1",
            ", ".join(source.columns),
            "the columns symbol, ex_date and ratio are needed",
        )
    return places


def _announces(said: Mapping[str, str]) -> bool:
    """Tell whether a row without a ratio may be without one."""
    return "purpose" in said or bool(said.get("suggested"))


def _given(line: int, said: Mapping[str, str], where: str) -> Iterator[ActionRow]:
    """Give the row of an operator's own list: wrong is wrong, for nobody looks through it twice."""
    parts = parse_parts(said.get("ratio", ""), f"{where}, column ratio")
    day, symbol = parse_day(said.get("ex_date", "")), said.get("symbol", "").upper()
    if day is None:
        raise InputError(f"{where}, column ex_date", said.get("ex_date", ""), _DAY_ACCEPTED)
    if not symbol:
        raise InputError(f"{where}, column symbol", "", "an exchange symbol such as BAJFINANCE")
    reading = announcement.parse(said.get("purpose", ""))
    differs = bool(reading.parts) and _product(reading.parts) != _product(parts)
    held = f"the column ratio has {said['ratio']}, but its purpose is {said['purpose']!r}" if differs else ""
    yield ActionRow(line, symbol, day, said["ratio"], parts, held)


def _announced(line: int, said: Mapping[str, str]) -> Iterator[ActionRow]:
    """Give the row of the exchange's list if it speaks of the number of shares, or a suggestion that was not
    filled in.
    """
    purpose, suggested = said.get("purpose", ""), said.get("suggested", "")
    reading = announcement.parse(purpose)
    day, symbol = parse_day(said.get("ex_date", "")), said.get("symbol", "").upper()
    if not reading.speaks and suggested:
        yield ActionRow(
            line, symbol, day, suggested, held="a suggestion alone confirms nothing; fill in the column ratio"
        )
    elif reading.speaks:
        series = said.get("series", "").upper()
        apart = series not in ("", "-", *SHARE_SERIES)
        if apart:
            held = f"the series {series} is none of equity shares ({', '.join(SHARE_SERIES)})"
        elif day is None:
            held = f"its ex-date {said.get('ex_date', '')!r} is not {_DAY_ACCEPTED}"
        else:
            held = reading.held if symbol else "it names no symbol"
        yield ActionRow(line, symbol, day, purpose, reading.parts, held, apart, reading.divides)


def _product(parts: Sequence[tuple[str, Fraction]]) -> Fraction:
    product = Fraction(1)
    for _, ratio in parts:
        product *= ratio
    return product
