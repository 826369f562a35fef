"""CSV lists of corporate actions: NSE's own with PURPOSE, or the columns symbol, ex_date and ratio.

Each row about the number of shares is returned, usable or not, so that none is skipped without a message.
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
    """A row about a bonus, a split, a consolidation, a capital reduction or a demerger.

    `parts`: kind and ratio of each announced action. `refusal`: why the row cannot be used, else empty.
    `other_series`: it is of a series that is no equity share, so other rows of its day can be used without
    it. `divides`: as in `announcement.Reading`.
    """

    line: int
    symbol: str
    ex_day: date | None
    text: str
    parts: tuple[tuple[str, Fraction], ...] = ()
    refusal: str = ""
    other_series: bool = False
    divides: bool = False


def parse(content: bytes, name: str) -> list[ActionRow]:
    """Parse a list, without rows about dividends, meetings and the like.

    Raises:
        InputError: columns are missing, or a cell of the column ratio is wrong; names line and column.
    """
    source = read_table(content, name)
    places = _places(source)
    found: list[ActionRow] = []
    for line, cells in source.rows:
        fields = {word: cells[place].strip() for word, place in places.items() if place < len(cells)}
        where = f"{name}, line {line}"
        has_ratio = fields.get("ratio") or not _may_lack_ratio(fields)
        found += _operator_row(line, fields, where) if has_ratio else _exchange_row(line, fields)
    return found


def combined_ratio(rows: Sequence[ActionRow]) -> tuple[Fraction, str]:
    """Return the product of the ratios of all rows of one share and day, and why it cannot be used, or "".

    A list may have a row once for each series, so the same ratio of the same kind counts once.
    """
    for row in rows:
        if row.refusal:
            of_the_day = f"line {row.line} of the same day cannot be used: {row.refusal}"
            return Fraction(1), row.refusal if len(rows) == 1 else of_the_day
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
    missing = [word for word in ("symbol", "ex_date") if word not in places]
    if missing or not places.keys() & {"ratio", "purpose"}:
        raise InputError(
            f"{source.name}, line 1",
            ", ".join(source.columns),
            "the columns symbol, ex_date and ratio are needed",
        )
    return places


def _may_lack_ratio(fields: Mapping[str, str]) -> bool:
    return "purpose" in fields or bool(fields.get("suggested"))


def _operator_row(line: int, fields: Mapping[str, str], where: str) -> Iterator[ActionRow]:
    """Yield the row of an operator's own list. Wrong cells raise: the operator expects each row to count."""
    parts = parse_parts(fields.get("ratio", ""), f"{where}, column ratio")
    day, symbol = parse_day(fields.get("ex_date", "")), fields.get("symbol", "").upper()
    if day is None:
        raise InputError(f"{where}, column ex_date", fields.get("ex_date", ""), _DAY_ACCEPTED)
    if not symbol:
        raise InputError(f"{where}, column symbol", "", "an exchange symbol such as BAJFINANCE")
    ratio, purpose = fields["ratio"], fields.get("purpose", "")
    reading = announcement.parse(purpose)
    differs = bool(reading.parts) and _product(reading.parts) != _product(parts)
    refusal = f"the column ratio has {ratio}, but its purpose is {purpose!r}" if differs else ""
    yield ActionRow(line, symbol, day, ratio, parts, refusal)


def _exchange_row(line: int, fields: Mapping[str, str]) -> Iterator[ActionRow]:
    """Yield the row of the exchange's list if it is about the number of shares, or an empty suggestion."""
    purpose, suggested = fields.get("purpose", ""), fields.get("suggested", "")
    reading = announcement.parse(purpose)
    day, symbol = parse_day(fields.get("ex_date", "")), fields.get("symbol", "").upper()
    if not reading.relevant and suggested:
        refusal = "a suggestion alone confirms nothing; fill in the column ratio"
        yield ActionRow(line, symbol, day, suggested, refusal=refusal)
    elif reading.relevant:
        series = fields.get("series", "").upper()
        other_series = series not in ("", "-", *SHARE_SERIES)
        if other_series:
            refusal = f"the series {series} is none of equity shares ({', '.join(SHARE_SERIES)})"
        elif day is None:
            refusal = f"its ex-date {fields.get('ex_date', '')!r} is not {_DAY_ACCEPTED}"
        else:
            refusal = reading.refusal if symbol else "it names no symbol"
        yield ActionRow(line, symbol, day, purpose, reading.parts, refusal, other_series, reading.divides)


def _product(parts: Sequence[tuple[str, Fraction]]) -> Fraction:
    product = Fraction(1)
    for _, ratio in parts:
        product *= ratio
    return product
