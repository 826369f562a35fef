"""Lists of changed symbols: NSE's `symbolchange.csv`, or any CSV with the columns old, new and perhaps date.

Files of prices without ISINs need them: nothing else connects a share's old symbol with its new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from ltp.core.formats.exchange_csv import parse_day, read_table
from ltp.errors import InputError

_SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "old": ("old", "oldsymbol", "smkeysymbol"),
    "new": ("new", "newsymbol", "smnewsymbol"),
    "date": ("date", "from", "effectivedate", "smapplicablefrom"),
}


class SymbolChange(NamedTuple):
    """`day`: the first under the new symbol; date.min if the file has no date."""

    old: str
    new: str
    day: date


def parse(content: bytes, name: str) -> list[SymbolChange]:
    """Return the changes by day, symbols in capitals.

    Raises:
        InputError: names line and column of the first error.
    """
    source = read_table(content, name)
    places = {
        word: source.columns[spelling]
        for word, names in _SPELLINGS.items()
        for spelling in names
        if spelling in source.columns
    }
    if not {"old", "new"} <= places.keys():
        raise InputError(f"{name}, line 1", ", ".join(source.columns), "the columns old and new are needed")
    changes = []
    for line, cells in source.rows:
        fields = {
            word: cells[place].strip().upper() if place < len(cells) else "" for word, place in places.items()
        }
        for word in ("old", "new"):
            if not fields[word]:
                raise InputError(
                    f"{name}, line {line}, column {word}", "", "an exchange symbol such as ZOMATO"
                )
        day = parse_day(fields["date"]) if fields.get("date") else date.min
        if day is None:
            raise InputError(f"{name}, line {line}, column date", fields["date"], "a date such as 2025-04-09")
        changes.append(SymbolChange(fields["old"], fields["new"], day))
    return sorted(changes, key=lambda change: change.day)


def newest_symbols(changes: list[SymbolChange]) -> dict[str, tuple[str, date]]:
    """Return by former symbol the present symbol of its share, and the day of the first change.

    Another company may have taken the former symbol since, so only changes after that day are followed.
    """
    found: dict[str, tuple[str, date]] = {}
    for change in changes:
        for old, (symbol, day) in found.items():
            if symbol == change.old:
                found[old] = (change.new, day)
        found[change.old] = (change.new, change.day)
    return {old: now for old, now in found.items() if old != now[0]}
