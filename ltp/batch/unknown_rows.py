"""Rows of symbols that the master does not know: counted, and kept while an import runs.

A later file may identify the share by an ISIN; where none does, the prices may suggest a rename.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from ltp.core.history import candle
from ltp.core.history.candle import RECORD

_MAX_BYTES: Final = 64 << 20  # 1.5 million rows; of further ones only the number is kept


class UnknownSymbol(NamedTuple):
    """A symbol of no known instrument, with its number of rows, and first and last day of those kept."""

    symbol: str
    rows: int
    first: date | None
    last: date | None


class UnknownRows:
    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self._records: dict[str, bytearray] = {}
        self._bytes = 0

    def add(self, records: Mapping[str, bytes | bytearray]) -> None:
        """Count the rows of symbols, and keep them while there is room."""
        for symbol, packed in records.items():
            if not packed:
                continue
            self.rows[symbol] += len(packed) // RECORD.size
            room = self._bytes < _MAX_BYTES
            self._bytes += len(packed) * room
            self._records.setdefault(symbol, bytearray()).extend(packed if room else b"")

    def take(self, symbol: str) -> bytes:
        """Return the kept records of a symbol that was identified, by day, and forget them. Rows that were
        not kept stay counted.
        """
        records = bytes(self._records.pop(symbol))
        self.rows[symbol] -= len(records) // RECORD.size
        self.rows += Counter()  # drops symbols that have no rows left
        return candle.merge(b"", records)

    def packed(self) -> Iterator[tuple[str, bytes]]:
        """Yield each symbol with its records by day."""
        for symbol, records in self._records.items():
            if records:
                yield symbol, candle.merge(b"", bytes(records))

    def named(self) -> tuple[UnknownSymbol, ...]:
        """Return every symbol, the one with the most rows first."""
        days = {
            symbol: (candle.first_day(packed), candle.last_day(packed)) for symbol, packed in self.packed()
        }
        ordered = sorted(self.rows.items(), key=lambda each: (-each[1], each[0]))
        return tuple(UnknownSymbol(symbol, rows, *days.get(symbol, (None, None))) for symbol, rows in ordered)
