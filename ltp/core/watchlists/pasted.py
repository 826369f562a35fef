"""A pasted list: symbols, keys, ISINs or names, one a line or separated by commas, or a CSV with a head. Pure.

`[Banks]` on a line of its own begins a section, `#` a comment. A head names the columns symbol, key, isin, name, note
and flag, in any order, separated by commas, semicolons or tabs. What a line names is found by a function of the
caller, because that takes the instrument master.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from ltp.core.watchlists.edits import new_section_key
from ltp.core.watchlists.watchlist import Line, parse_flag, parse_note, parse_title
from ltp.errors import InputError

MAX_LINES: Final = 5_000
MAX_TEXT: Final = 200  # of what names an instrument
_COLUMNS: Final = {
    "key": "key", "isin": "isin", "isin code": "isin", "symbol": "symbol", "name": "name",
    "company name": "name", "note": "note", "flag": "flag",
}  # fmt: skip
_NAMING: Final = ("key", "isin", "symbol", "name")  # the surest first
UNKNOWN: Final = "no instrument is called so"
TWICE: Final = "it is there already, further up"
_SECTION: Final = re.compile(r"\[(.*)\]")
# The CSV of a table has an apostrophe before a text that a spreadsheet would run; it is no part of the text.
_MARKED: Final = re.compile(r"^'(?=[=+\-@＝＋－＠])")


class Named(NamedTuple):
    """A line that names an instrument, by each of `texts`, the surest first; or a section by `title`."""

    number: int
    texts: tuple[str, ...]
    title: str = ""
    note: str = ""
    flag: str = ""


class BadLine(NamedTuple):
    """A line that is not taken. `reason`: a sentence without its end."""

    number: int
    text: str
    reason: str


class Pasted(NamedTuple):
    lines: tuple[Line, ...]
    bad: tuple[BadLine, ...]


def parse(text: str) -> list[Named]:
    """Return the lines of a pasted text in their order.

    Raises:
        InputError: it has no line, or too many.
    """
    found = list(_named(text))
    if not found:
        raise InputError("list", text, "paste at least one symbol, key, ISIN or name")
    if len(found) > MAX_LINES:
        raise InputError("list", f"{len(found):,} lines", f"at most {MAX_LINES:,} lines are pasted at once")
    return found


def lines_of(named: Iterable[Named], find: Callable[[str], str | None]) -> Pasted:
    """Return the lines of a list, each instrument once, and those that are not taken.

    Args:
        find: returns the key of the instrument that a text names, None if there is none.
    """
    lines: dict[str, Line] = {}
    bad: list[BadLine] = []
    for each in named:
        try:
            line = _line(each, find, lines.values())
        except InputError as error:
            bad.append(BadLine(each.number, error.value, error.accepted))
            continue
        if line is None:
            bad.append(BadLine(each.number, each.texts[-1][:MAX_TEXT], UNKNOWN))
        elif line.key in lines:
            bad.append(BadLine(each.number, each.texts[0], TWICE))
        else:
            lines[line.key] = line
    return Pasted(tuple(lines.values()), tuple(bad))


def _line(each: Named, find: Callable[[str], str | None], before: Iterable[Line]) -> Line | None:
    if each.title:
        return Line(new_section_key(before), parse_title(each.title, "section"))
    key = next((key for text in each.texts if len(text) <= MAX_TEXT and (key := find(text))), None)
    return None if key is None else Line(key, "", parse_note(each.note), parse_flag(each.flag))


def _named(text: str) -> Iterator[Named]:
    head: dict[str, int] = {}
    separator = ","
    first = True
    for number, raw in enumerate(text.replace("\ufeff", "").splitlines(), start=1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if section := _SECTION.fullmatch(stripped):
            yield Named(number, (stripped,), section[1].strip() or "?")
            continue
        if first:
            first = False
            separator = next((each for each in "\t;" if each in raw), ",")
            head = _head(_cells(raw, separator))
            if head:
                continue
        cells = _cells(raw, separator)
        yield from [_row(number, cells, head)] if head else _texts(number, cells)


def _row(number: int, cells: list[str], head: dict[str, int]) -> Named:
    values = {name: cells[at] for name, at in head.items() if at < len(cells)}
    texts = tuple(values[name] for name in _NAMING if values.get(name))
    note = _MARKED.sub("", values.get("note", ""))
    return Named(number, texts or (",".join(cells),), "", note, values.get("flag", ""))


def _texts(number: int, cells: list[str]) -> Iterator[Named]:
    return (Named(number, (cell,)) for cell in cells if cell)


def _head(cells: list[str]) -> dict[str, int]:
    """Return the place of each known column, nothing if the line is no head."""
    places = {_COLUMNS[cell.casefold()]: at for at, cell in enumerate(cells) if cell.casefold() in _COLUMNS}
    return places if places.keys() & set(_NAMING) else {}


def _cells(raw: str, separator: str) -> list[str]:
    try:
        [cells] = csv.reader([raw], delimiter=separator)
    except (csv.Error, ValueError):
        cells = raw.split(separator)
    return [" ".join(cell.split()) for cell in cells]
