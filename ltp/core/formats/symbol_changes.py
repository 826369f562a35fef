"""Files of symbols that changed: NSE's `symbolchange.csv`, or any CSV with the columns old and new (and
date).

For files of prices that name no ISIN, in which nothing else joins a share's old symbol to its new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from ltp.core.formats.exchange_csv import parse_day, read_table
from ltp.errors import InputError

_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "old": ("old", "oldsymbol", "smkeysymbol"),
    "new": ("new", "newsymbol", "smnewsymbol"),
    "date": ("date", "from", "effectivedate", "smapplicablefrom"),
}


class SymbolChange(NamedTuple):
    """`day`: from which the new symbol was used; the earliest there is where the file does not say."""

    old: str
    new: str
    day: date


def parse(content: bytes, name: str) -> list[SymbolChange]:
    """Return the changes by day, symbols in capitals.

    Raises:
        InputError: names line and column of the first thing that is not accepted.
    """
    source = read_table(content, name)
    places = {
        word: source.columns[spelling]
        for word, names in _CALLED.items()
        for spelling in names
        if spelling in source.columns
    }
    if not {"old", "new"} <= places.keys():
        raise InputError(f"{name}, line 1", ", ".join(source.columns), "the columns old and new are needed")
    changes = []
    for line, cells in source.rows:
        said = {
            word: cells[place].strip().upper() if place < len(cells) else "" for word, place in places.items()
        }
        for word in ("old", "new"):
            if not said[word]:
                raise InputError(
                    f"{name}, line {line}, column {word}", "", "an exchange symbol such as ZOMATO"
                )
        day = parse_day(said["date"]) if said.get("date") else date.min
        if day is None:
            raise InputError(f"{name}, line {line}, column date", said["date"], "a date such as 2025-04-09")
        changes.append(SymbolChange(said["old"], said["new"], day))
    return sorted(changes, key=lambda change: change.day)


def newest_symbols(changes: list[SymbolChange]) -> dict[str, tuple[str, date]]:
    """Return for each symbol that was given up the one its share has now, and the day it was given up on.

    A symbol may have been taken by another company since: what counts is what happened after that day.
    """
    found: dict[str, tuple[str, date]] = {}
    for change in changes:
        for old, (symbol, day) in found.items():
            if symbol == change.old:
                found[old] = (change.new, day)
        found[change.old] = (change.new, change.day)
    return {old: now for old, now in found.items() if old != now[0]}
