"""NSE's constituents of an index (ind_*list CSV), and the names of universes.

`core.symbol_lookup` finds the instruments of the symbols.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ltp.errors import InputError

MAX_MEMBERS: Final = 10_000  # of an index
LIST_PREFIX: Final = "list-"
_COLUMNS: Final = {
    "symbol": "symbol",
    "company name": "name",
    "industry": "industry",
    "series": "series",
    "isin code": "isin",
}
_HEADER: Final = "the first line names the columns: Company Name, Industry, Symbol, Series, ISIN Code"
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z0-9&_.:\- ]{1,200}", re.ASCII)
_MAX_NAME: Final = 59  # 64 with the prefix, the width of the column
_MAX_TEXT: Final = 200


class Constituent(NamedTuple):
    """A line of an index list; fields without a column are empty."""

    symbol: str
    name: str = ""
    industry: str = ""
    series: str = ""
    isin: str = ""


def parse(content: bytes) -> list[Constituent]:
    """Parse one of NSE's lists of index members; a symbol that comes twice counts once.

    Args:
        content: UTF-8 with or without a byte order mark, columns in any order, unknown ones among them.
    Raises:
        InputError: names line and column; also if there is no member.
    """
    columns: dict[str, int] = {}
    members: dict[str, Constituent] = {}
    for number, cells in _rows(content):
        if not columns:
            columns = _header(cells, number)
            continue
        texts = {field: _cell(cells, place) for field, place in columns.items()}
        if _SYMBOL.fullmatch(texts["symbol"]) is None:
            raise InputError(
                f"line {number}, column Symbol", texts["symbol"], "each member has a symbol such as HDFCBANK"
            )
        member = Constituent(**texts)
        members.setdefault(member.symbol.upper(), member)
        if len(members) > MAX_MEMBERS:
            raise InputError(f"line {number}", member.symbol, f"a list has at most {MAX_MEMBERS:,} members")
    if not members:
        raise InputError(
            "line 2" if columns else "line 1",
            "",
            "there is no member below the first line" if columns else _HEADER,
        )
    return list(members.values())


def parse_name(text: str, where: str = "name") -> str:
    """Return `text` if it can name a universe.

    Raises:
        InputError: it is not small letters, digits and single dashes.
    """
    if _SLUG.fullmatch(text) is None or len(text) > _MAX_NAME:
        raise InputError(
            where,
            text,
            f"a name is small letters, digits and single dashes, at most {_MAX_NAME}, such as nifty500",
        )
    return text


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"line {line}", content[error.start : error.end].hex(), "the file must be UTF-8 text"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}", "", f"the line must be CSV ({error})") from None


def _header(cells: list[str], number: int) -> dict[str, int]:
    places = {
        _COLUMNS[cell.casefold()]: place for place, cell in enumerate(cells) if cell.casefold() in _COLUMNS
    }
    if "symbol" not in places:
        raise InputError(f"line {number}", ",".join(cells), _HEADER)
    return places


def _cell(cells: list[str], place: int) -> str:
    return " ".join(cells[place].split())[:_MAX_TEXT] if place < len(cells) else ""
