"""The instrument master packed in memory: look-up by key and by symbol, and search, without SQL.

A master has more than 200,000 rows, nearly all of them contracts that no page shows; as objects they fill
150 MB of each process. Here a row is a slice of one byte string, and becomes an `Instrument` on demand.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from ltp.core.instrument import SEGMENTS, Instrument
from ltp.core.symbol_lookup import preference

_CACHED: Final = 10_000  # unpacked instruments; a worker reads the same 5,000 again and again
_MAX_MATCHES: Final = 2_000  # matches that a search ranks; for one letter it ranks the first ones
_SEPARATOR: Final = "\x1f"
_FIELDS: Final = len(Instrument._fields) - 2
# A search for two letters lists shares and indices before the thousands of contracts on them.
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
    """`instruments`: best first. `matching`: number of ranked matches. `more`: there may be others."""

    instruments: list[Instrument]
    matching: int
    more: bool


class _SegmentText:
    """The searchable text of one segment, a line for each instrument. `first`: index of the first one."""

    def __init__(self, first: int) -> None:
        self.first, self.lines, self.starts = first, bytearray(b"\n"), array("L")

    def add(self, instrument: Instrument) -> None:
        self.starts.append(len(self.lines))
        self.lines += f"{instrument.symbol}{_SEPARATOR}{instrument.name}\n".casefold().encode()

    def matches(self, pattern: bytes) -> Iterator[int]:
        return (
            self.first + bisect_right(self.starts, found.end() - 1) - 1
            for found in re.finditer(pattern, self.lines)
        )


class InstrumentIndex:
    """Immutable once built, from batches of instruments that are sorted by segment and id."""

    def __init__(
        self, batches: Iterable[list[Instrument]] = (), pause: Callable[[], object] = lambda: None
    ) -> None:
        """`pause` is called after each batch, so that a web process can let other greenlets run."""
        self._ids, self._starts, self._rows = array("Q"), array("L", [0]), bytearray()
        self._texts: dict[str, _SegmentText] = {}
        self._cache: dict[str, Instrument] = {}
        for batch in batches:
            for instrument in batch:
                self._add(instrument)
            pause()

    def _add(self, instrument: Instrument) -> None:
        line = _SEPARATOR.join(map(str, instrument[2:]))
        if line.count(_SEPARATOR) != _FIELDS - 1 or "\n" in line:
            instrument = _clean(instrument)
            line = _SEPARATOR.join(map(str, instrument[2:]))
        text = self._texts.get(instrument.segment)
        if text is None:
            text = self._texts[instrument.segment] = _SegmentText(len(self._ids))
        text.add(instrument)
        self._ids.append(_NUMBERS[instrument.segment] << 32 | instrument.security_id)
        self._rows += line.encode()
        self._starts.append(len(self._rows))

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Instrument]:
        return map(self._at, range(len(self._ids)))

    def get(self, key: str) -> Instrument | None:
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        segment, _, id_ = key.partition(":")
        if segment not in _NUMBERS or not (id_.isascii() and id_.isdigit()) or len(id_) > 10:
            return None
        packed = _NUMBERS[segment] << 32 | int(id_)
        index = bisect_left(self._ids, packed)
        if index == len(self._ids) or self._ids[index] != packed:
            return None
        if len(self._cache) >= _CACHED:
            self._cache.clear()
        found = self._cache[key] = self._at(index)
        return found

    def find(self, segment: str, symbol: str) -> Instrument | None:
        """Return the instrument of a symbol, a share rather than a bond; None if there is none."""
        text = self._texts.get(segment)
        pattern = re.escape(f"\n{symbol}{_SEPARATOR}".casefold().encode())
        return min(map(self._at, text.matches(pattern) if text else ()), key=preference, default=None)

    def search(self, words: str, limit: int) -> SearchResult:
        """Return the instruments whose symbol or name contains the words, or whose key they are.

        First the symbol that equals the words, then symbols that start with them; indices and shares before
        contracts.
        """
        exact = self.get(words.strip().upper())
        if exact is not None:
            return SearchResult([exact], 1, False)
        needle = re.escape(words.casefold().encode())
        if not needle:
            return SearchResult([], 0, False)
        found: dict[int, None] = {}
        for pattern in (b"\n" + needle, needle):
            matches = chain.from_iterable(
                self._texts[segment].matches(pattern) for segment in _ORDER if segment in self._texts
            )
            found |= dict.fromkeys(islice(matches, _MAX_MATCHES))
        ranked = sorted(map(self._at, found), key=lambda each: _rank(each, words.casefold()))
        return SearchResult(ranked[:limit], len(ranked), len(found) >= _MAX_MATCHES)

    def _at(self, index: int) -> Instrument:
        symbol, name, isin, lot, tick, series, sector = (
            self._rows[self._starts[index] : self._starts[index + 1]].decode().split(_SEPARATOR)
        )
        packed = self._ids[index]
        return Instrument(
            _NAMES[packed >> 32], packed & 0xFFFFFFFF, symbol, name, isin, int(lot), int(tick), series, sector
        )


def _clean(instrument: Instrument) -> Instrument:
    """Return the instrument with spaces for separators and line ends, which no source is known to send."""
    symbol, name, sector = (
        text.replace(_SEPARATOR, " ").replace("\n", " ")
        for text in (instrument.symbol, instrument.name, instrument.sector)
    )
    return instrument._replace(symbol=symbol, name=name, sector=sector)


def _rank(instrument: Instrument, words: str) -> tuple[bool, bool, int, int, str, str]:
    symbol = instrument.symbol.casefold()
    order, kind = _ORDER.index(instrument.segment), preference(instrument)[0]
    return symbol != words, not symbol.startswith(words), order, kind, symbol, instrument.key
