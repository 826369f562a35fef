"""The instruments that texts name: keys, SEGMENT:SYMBOL, symbols, ISINs, names, and former symbols and ISINs."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from ltp.core.instrument import CONTRACT_SEGMENTS, SEGMENTS, Instrument, parse_key, split_key
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db.engine import BUSY_TIMEOUT_MS, reading
from ltp.db.schema import instrument_names
from ltp.db.schema import instruments as table
from ltp.errors import InputError

# A symbol of several segments means the first one's.
_ORDER: Final = ("NSE_EQ", "IDX_I", "BSE_EQ", *(each for each in SEGMENTS if each in CONTRACT_SEGMENTS))
_NAMED_SEGMENTS: Final = (
    "NSE_EQ",
    "IDX_I",
    "BSE_EQ",
)  # searched by name: contracts are called by their symbols
_CHUNK: Final = 200
_PAUSE_S: Final = 0.001  # between two reads, in which the streams of a web process go on


def finder(
    engine: Engine, texts: Collection[str], *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> Callable[[str], str | None]:
    """Return the function that finds the key of any of `texts`, None for one that names no instrument.

    Raises:
        DatabaseError: the database cannot be read.
    """
    wanted = {text.strip() for text in texts if text.strip() and _can_be_stored(text.strip())}
    lookup, by_name = _read(engine, sorted(wanted), busy_timeout_ms)

    def find(text: str) -> str | None:
        text = text.strip()
        found = lookup.resolve(text)
        for segment in _ORDER:
            found = found or lookup.find(text, segment=segment, isin=text.upper())
        return found.key if found else by_name.get(text.casefold())

    return find


def _read(engine: Engine, texts: Sequence[str], busy_timeout_ms: int) -> tuple[SymbolLookup, dict[str, str]]:
    found: list[Instrument] = []
    former: dict[tuple[str, str], str] = {}
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
            found += _matching(connection, chunk)
            of_chunk = _former(connection, chunk)
            keys = [key for text in chunk if (key := _key(text))]
            found += _of_keys(connection, [*keys, *of_chunk.values()])
        former |= of_chunk
        time.sleep(_PAUSE_S)
    by_name: dict[str, str] = {}
    for each in sorted(found, key=lambda each: _ORDER.index(each.segment)):
        if each.series or each.segment not in {"NSE_EQ", "BSE_EQ"}:  # not a listing that has ended
            by_name.setdefault(each.name.casefold(), each.key)
    return SymbolLookup(found, former), by_name


def _matching(connection: Connection, texts: Sequence[str]) -> Iterator[Instrument]:
    upper = [text.upper().rpartition(":")[2] for text in texts]
    columns = [table.c[name] for name in Instrument._fields]
    wanted: list[ColumnElement[bool]] = [
        table.c.symbol.in_({*upper, *(text.rpartition(":")[2] for text in texts)})
    ]
    in_segments = table.c.segment.in_(_NAMED_SEGMENTS)
    isins = [text for text in upper if len(text) == 12]
    if isins:
        wanted.append(in_segments & table.c.isin.in_(isins))
    wanted.append(in_segments & func.lower(table.c.name).in_([text.lower() for text in texts]))
    for condition in wanted:
        yield from (Instrument(*row) for row in connection.execute(select(*columns).where(condition)))


def _of_keys(connection: Connection, keys: Sequence[str]) -> Iterator[Instrument]:
    columns = [table.c[name] for name in Instrument._fields]
    ids: dict[str, list[int]] = {}
    for segment, number in map(split_key, keys):
        ids.setdefault(segment, []).append(number)
    for segment, these in ids.items():
        this = (table.c.segment == segment) & table.c.security_id.in_(these)
        yield from (Instrument(*row) for row in connection.execute(select(*columns).where(this)))


def _former(connection: Connection, texts: Sequence[str]) -> dict[tuple[str, str], str]:
    names = instrument_names.c
    wanted = select(names.segment, names.name, names.security_id)
    rows = connection.execute(wanted.where(names.name.in_([text.upper() for text in texts])))
    return {(segment, name): f"{segment}:{number}" for segment, name, number in rows}


def _can_be_stored(text: str) -> bool:
    """No database takes a lone surrogate, and PostgreSQL no NUL: they would be taken for a fault of the database."""
    return all(unicodedata.category(each) not in {"Cc", "Cs"} for each in text)


def _key(text: str) -> str:
    try:
        return parse_key(text.upper())
    except InputError:
        return ""
