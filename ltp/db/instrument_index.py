"""Every instrument of the master in little memory: found by key or symbol, and searched, without asking the
database.

A master has more than 200,000 rows, nearly all of them contracts that nobody looks at; as objects they would
fill 150 MB of each process. Here a row is a piece of one byte string, and becomes an `Instrument` when
somebody asks for it.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from ltp.core.instrument import SEGMENTS, Instrument
from ltp.core.lookup import preference

_HELD: Final = 10_000  # instruments made from their piece and kept; a worker asks for 5,000 again and again
_SCANNED: Final = 2_000  # matches looked at in a search; who types one letter gets the first
_BETWEEN: Final = "\x1f"
_FIELDS: Final = len(Instrument._fields) - 2
# Who types two letters means a share or an index before any of the thousands of contracts on them.
_ORDER: Final = (
    "IDX_I",
    "NSE_EQ",
    "BSE_EQ",
    "NSE_FNO",
    "BSE_FNO",
    "MCX_COMM",
    "NSE_CURRENCY",
    "BSE_CURRENCY",
)
_NUMBERS: Final = {segment: number for number, segment in enumerate(sorted(SEGMENTS))}
_NAMES: Final = sorted(SEGMENTS)


class SearchResult(NamedTuple):
    """What a search found, best first, and how many there are; `more`: there are others that were not looked
    at.
    """

    instruments: list[Instrument]
    matching: int
    more: bool


class _Text:
    """What a search reads of one segment: a line for each instrument. `first`: the place of the first one."""

    def __init__(self, first: int) -> None:
        self.first, self.lines, self.starts = first, bytearray(b"\n"), array("L")

    def add(self, instrument: Instrument) -> None:
        self.starts.append(len(self.lines))
        self.lines += f"{instrument.symbol}{_BETWEEN}{instrument.name}\n".casefold().encode()

    def places(self, pattern: bytes) -> Iterator[int]:
        return (
            self.first + bisect_right(self.starts, found.end() - 1) - 1
            for found in re.finditer(pattern, self.lines)
        )


class InstrumentIndex:
    """Never changed once built; build a new one from batches of instruments that are sorted by segment and
    id.
    """

    def __init__(
        self, batches: Iterable[list[Instrument]] = (), pause: Callable[[], object] = lambda: None
    ) -> None:
        """`pause` is called after each batch, so that what builds it beside browsers lets them run."""
        self._ids, self._starts, self._rows = array("Q"), array("L", [0]), bytearray()
        self._texts: dict[str, _Text] = {}
        self._held: dict[str, Instrument] = {}
        for batch in batches:
            for instrument in batch:
                self._add(instrument)
            pause()

    def _add(self, instrument: Instrument) -> None:
        line = _BETWEEN.join(map(str, instrument[2:]))
        if line.count(_BETWEEN) != _FIELDS - 1 or "\n" in line:
            instrument = _clean(instrument)
            line = _BETWEEN.join(map(str, instrument[2:]))
        text = self._texts.get(instrument.segment)
        if text is None:
            text = self._texts[instrument.segment] = _Text(len(self._ids))
        text.add(instrument)
        self._ids.append(_NUMBERS[instrument.segment] << 32 | instrument.security_id)
        self._rows += line.encode()
        self._starts.append(len(self._rows))

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Instrument]:
        return map(self._at, range(len(self._ids)))

    def get(self, key: str) -> Instrument | None:
        held = self._held.get(key)
        if held is not None:
            return held
        segment, _, id_ = key.partition(":")
        if segment not in _NUMBERS or not (id_.isascii() and id_.isdigit()) or len(id_) > 10:
            return None
        packed = _NUMBERS[segment] << 32 | int(id_)
        place = bisect_left(self._ids, packed)
        if place == len(self._ids) or self._ids[place] != packed:
            return None
        if len(self._held) >= _HELD:
            self._held.clear()
        found = self._held[key] = self._at(place)
        return found

    def find(self, segment: str, symbol: str) -> Instrument | None:
        """Return the instrument of a symbol in a segment, the share where a bond has the same; None when
        there is none.
        """
        text = self._texts.get(segment)
        pattern = re.escape(f"\n{symbol}{_BETWEEN}".casefold().encode())
        return min(map(self._at, text.places(pattern) if text else ()), key=preference, default=None)

    def search(self, words: str, limit: int) -> SearchResult:
        """Return what has the words in its symbol or name, or is the key itself. First the symbol that is the
        words, then those that start with them; indices and shares before contracts.
        """
        exact = self.get(words.strip().upper())
        if exact is not None:
            return SearchResult([exact], 1, False)
        needle = re.escape(words.casefold().encode())
        if not needle:
            return SearchResult([], 0, False)
        places: dict[int, None] = {}
        for pattern in (b"\n" + needle, needle):
            among = chain.from_iterable(
                self._texts[segment].places(pattern) for segment in _ORDER if segment in self._texts
            )
            places |= dict.fromkeys(islice(among, _SCANNED))
        ranked = sorted(map(self._at, places), key=lambda each: _rank(each, words.casefold()))
        return SearchResult(ranked[:limit], len(ranked), len(places) >= _SCANNED)

    def _at(self, place: int) -> Instrument:
        symbol, name, isin, lot, tick, series, sector = (
            self._rows[self._starts[place] : self._starts[place + 1]].decode().split(_BETWEEN)
        )
        packed = self._ids[place]
        return Instrument(
            _NAMES[packed >> 32], packed & 0xFFFFFFFF, symbol, name, isin, int(lot), int(tick), series, sector
        )


def _clean(instrument: Instrument) -> Instrument:
    """Return it without what separates the pieces here; no source of names lets that through."""
    symbol, name, sector = (
        text.replace(_BETWEEN, " ").replace("\n", " ")
        for text in (instrument.symbol, instrument.name, instrument.sector)
    )
    return instrument._replace(symbol=symbol, name=name, sector=sector)


def _rank(instrument: Instrument, words: str) -> tuple[bool, bool, int, int, str, str]:
    symbol = instrument.symbol.casefold()
    order, kind = _ORDER.index(instrument.segment), preference(instrument)[0]
    return symbol != words, not symbol.startswith(words), order, kind, symbol, instrument.key
