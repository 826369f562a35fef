"""The instrument master packed in memory: look-up by key and by symbol, and search, without SQL.

A master has more than 200,000 rows, nearly all of them contracts that no page shows; as objects they fill
150 MB of each process. Here a row is a slice of one byte string, and becomes an `Instrument` on demand.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from ltp.core.instrument import CONTRACT_SEGMENTS, SEGMENTS, Instrument
from ltp.core.symbol_lookup import preference
from ltp.db.search.query import MOST_ROWS, Query, Tier, may_be_isin
from ltp.db.search.segment_text import SEPARATOR, SegmentText
from ltp.db.search.words import WordIndex, is_near, words_of

_CACHED: Final = 10_000  # unpacked instruments; a worker reads the same 5,000 again and again
_ROWS_A_TURN: Final = 100  # unpacked in about half a millisecond
_FIELDS: Final = len(Instrument._fields) - 2
# A search lists indices and shares before the thousands of contracts on them.
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


_Rank = tuple[bool, int, int, int, int, bool, str, str]


class SearchResult(NamedTuple):
    """`instruments`: best first. `more`: others match too. `corrected`: they match with one letter put right.

    `former`: the former symbols of those found, by key.
    """

    instruments: list[Instrument]
    more: bool = False
    corrected: bool = False
    former: Mapping[str, Sequence[str]] = {}


class InstrumentIndex:
    """Immutable once built, from batches of instruments that are sorted by segment and id."""

    def __init__(
        self,
        batches: Iterable[list[Instrument]] = (),
        former: Mapping[str, Sequence[str]] | None = None,
        pause: Callable[[], object] = lambda: None,
    ) -> None:
        """`former`: the former symbols and ISINs of a key, which a search finds too.

        `pause` is called after each batch, so that a web process can let other greenlets run.
        """
        self._ids, self._starts, self._rows = array("Q"), array("L", [0]), bytearray()
        self._texts: dict[str, SegmentText] = {}
        self._cache: dict[str, Instrument] = {}
        self._former = former or {}
        for batch in batches:
            for instrument in batch:
                self._add(instrument)
            pause()
        self._texts = {segment: self._texts[segment] for segment in _ORDER if segment in self._texts}
        self._words = WordIndex(self._cash_lines(), pause)

    def _add(self, instrument: Instrument) -> None:
        line = SEPARATOR.join(map(str, instrument[2:]))
        if line.count(SEPARATOR) != _FIELDS - 1 or "\n" in line:
            instrument = _clean(instrument)
            line = SEPARATOR.join(map(str, instrument[2:]))
        text = self._texts.get(instrument.segment)
        if text is None:
            text = self._texts[instrument.segment] = SegmentText(len(self._ids))
        text.add(instrument, self._former.get(instrument.key, ()))
        self._ids.append(_NUMBERS[instrument.segment] << 32 | instrument.security_id)
        self._rows += line.encode()
        self._starts.append(len(self._rows))

    def _cash_lines(self) -> Iterator[tuple[int, str]]:
        for segment, text in self._texts.items():
            if segment not in CONTRACT_SEGMENTS:
                for row in range(text.first, text.first + len(text.starts)):
                    yield row, text.line(row)

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
        row = self._row(segment, int(id_))
        if row is None:
            return None
        if len(self._cache) >= _CACHED:
            self._cache.clear()
        found = self._cache[key] = self._at(row)
        return found

    def _row(self, segment: str, security_id: int) -> int | None:
        packed = _NUMBERS[segment] << 32 | security_id
        row = bisect_left(self._ids, packed)
        return row if row < len(self._ids) and self._ids[row] == packed else None

    def find(self, segment: str, symbol: str) -> Instrument | None:
        """Return the instrument of a symbol, a share rather than a bond; None if there is none."""
        text = self._texts.get(segment)
        literal = f"\n{symbol}{SEPARATOR}".casefold()
        return min(map(self._at, text.matches(literal) if text else ()), key=preference, default=None)

    def search(self, words: str, limit: int, pause: Callable[[], object] = lambda: None) -> SearchResult:
        """Return the instruments that match a symbol, a name, an ISIN, an id or a key, or words of these.

        First what has exactly this symbol, id or ISIN, then symbols that start with the words, then names,
        then contracts, then what has the words inside of others. Only where nothing matches, shares and
        indices in whose words one letter is wrong, missing, too many or in its neighbour's place.

        Args:
            pause: called after about a millisecond of work, so that a web process serves others meanwhile.
        """
        text = " ".join(words.casefold().split())
        exact = self.get(words.strip().upper())
        if exact is not None or not text:
            return SearchResult([exact] if exact else [])
        query = Query(text, self._texts, self._words, limit, pause)
        query.rows |= dict.fromkeys(islice(self._named(text), MOST_ROWS), Tier.NAMED)
        query.run()
        ranked = self._ranked(query, pause)
        shown = _with_contracts(ranked, limit)
        return SearchResult(
            shown,
            query.more or len(ranked) > len(shown),
            Tier.TYPO in query.rows.values(),
            {each.key: self._former[each.key] for each in shown if each.key in self._former},
        )

    def _named(self, text: str) -> Iterator[int]:
        """Yield the rows with the id, or with an ISIN that starts with the text."""
        if text.isascii() and text.isdigit() and len(text) <= 10:
            rows = (self._row(segment, int(text)) for segment in self._texts)
            yield from (row for row in rows if row is not None)
        if not may_be_isin(text):
            return
        literal = f"{SEPARATOR}{text.upper()}".encode()
        for segment, within in self._texts.items():
            if segment not in CONTRACT_SEGMENTS:
                yield from self._rows_with(literal, within.first, within.first + len(within.starts))

    def _rows_with(self, literal: bytes, first: int, last: int) -> Iterator[int]:
        at, end = self._rows.find(literal, self._starts[first], self._starts[last]), self._starts[last]
        while at >= 0:
            row = bisect_right(self._starts, at) - 1
            yield row
            at = self._rows.find(literal, self._starts[row + 1], end)

    def _ranked(self, query: Query, pause: Callable[[], object]) -> list[Instrument]:
        ranks: list[tuple[_Rank, Instrument]] = []
        for number, (row, tier) in enumerate(query.rows.items(), 1):
            instrument = self._at(row)
            ranks.append(
                (_rank(instrument, query.text, tier, self._former.get(instrument.key, ())), instrument)
            )
            if not number % _ROWS_A_TURN:
                pause()
        return [instrument for _, instrument in sorted(ranks)]

    def _at(self, index: int) -> Instrument:
        symbol, name, isin, lot, tick, series, sector = (
            self._rows[self._starts[index] : self._starts[index + 1]].decode().split(SEPARATOR)
        )
        packed = self._ids[index]
        return Instrument(
            _NAMES[packed >> 32], packed & 0xFFFFFFFF, symbol, name, isin, int(lot), int(tick), series, sector
        )


def _clean(instrument: Instrument) -> Instrument:
    """Return the instrument with spaces for separators and line ends, which no source is known to send."""
    symbol, name, sector = (
        text.replace(SEPARATOR, " ").replace("\n", " ")
        for text in (instrument.symbol, instrument.name, instrument.sector)
    )
    return instrument._replace(symbol=symbol, name=name, sector=sector)


def _rank(instrument: Instrument, text: str, tier: Tier, former: Sequence[str]) -> _Rank:
    symbols = [each.casefold() for each in (instrument.symbol, *former)]
    if tier is Tier.WORDS and any(symbol.startswith(text) for symbol in symbols):
        tier = Tier.SYMBOL
    contract = instrument.segment in CONTRACT_SEGMENTS
    order, kind = _ORDER.index(instrument.segment), preference(instrument)[0]
    option = contract and not symbols[0].endswith("-fut")
    rest = (order, kind, option, symbols[0], instrument.key)
    return text not in symbols, tier, _looseness(symbols[0], instrument.name.casefold(), text, tier), *rest


def _looseness(symbol: str, name: str, text: str, tier: Tier) -> int:
    """Return 0 for the closest among the matches of one tier."""
    if tier is Tier.CONTRACT:  # "nifty 24500 ce" means no contract on BANKNIFTY
        return len(set(words_of(text)) - set(words_of(f"{symbol} {name}")))
    return int(not (is_near(text, symbol) if tier is Tier.TYPO else name.startswith(text)))


def _with_contracts(ranked: list[Instrument], limit: int) -> list[Instrument]:
    """Return the first ones; a fifth of them are contracts where any match, or "gold" would list funds alone."""
    contracts = [each for each in ranked[limit:] if each.segment in CONTRACT_SEGMENTS]
    kept = sum(each.segment in CONTRACT_SEGMENTS for each in ranked[:limit])
    added = contracts[: max(limit // 5 - kept, 0)]
    return ranked[: limit - len(added)] + added
