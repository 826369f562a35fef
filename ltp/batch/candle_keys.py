"""The instrument of a row in the exchange's files, by its symbol, ISIN and id.

Symbols change, ISINs change with splits, and ids change with the series, so all three are looked up and none
alone is trusted. Former names are learned on the way; storing them is for `candle_import`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from ltp.core.identity import isin_issue
from ltp.core.instrument import Instrument
from ltp.core.symbol_lookup import preference

SHARES: Final = "NSE_EQ"
INDICES: Final = "IDX_I"


class CandleKeys:
    """`learned`: (key, former symbol or ISIN) to the newest day it was seen on; the caller stores and clears
    it.

    Args:
        instruments: of the segments NSE_EQ and IDX_I.
        names: (segment, former symbol or ISIN) to key.
    """

    def __init__(self, instruments: Iterable[Instrument], names: Mapping[tuple[str, str], str]) -> None:
        self.learned: dict[tuple[str, str], date] = {}
        self._by_id: dict[int, Instrument] = {}
        self._by_isin: dict[str, Instrument] = {}
        self._by_issue: dict[str, Instrument] = {}
        self._by_symbol: dict[str, Instrument] = {}
        self._indices: dict[str, Instrument] = {}
        self._names = {name: key for (segment, name), key in names.items() if segment == SHARES}
        self._by_key: dict[str, Instrument] = {}
        self._found: dict[tuple[str, str, str, int | None], tuple[str, tuple[str, ...]]] = {}
        for instrument in sorted(instruments, key=preference):
            if instrument.segment == INDICES:
                for name in (instrument.symbol, instrument.name):
                    self._indices.setdefault(name.upper(), instrument)
            elif instrument.segment == SHARES:
                self._by_key[instrument.key] = self._by_id[instrument.security_id] = instrument
                self._by_symbol.setdefault(instrument.symbol.upper(), instrument)
                if instrument.isin:
                    self._by_isin.setdefault(instrument.isin, instrument)
                    self._by_issue.setdefault(isin_issue(instrument.isin), instrument)

    def find(self, symbol: str, series: str, isin: str, security_id: int | None, day: date) -> str | None:
        """Return the key of a row, None when no instrument is known by any of its names.

        Args:
            series, isin: may be empty.
            day: of the row.
        """
        row = (symbol, series, isin, security_id)
        found = self._found.get(row)
        if found is None:
            instrument = self._instrument(*row)
            if instrument is None:
                return None  # and looked up again the next time: another file may identify the symbol
            pairs = (
                ((symbol, instrument.symbol), (isin, instrument.isin)) if instrument.segment == SHARES else ()
            )
            found = instrument.key, tuple(name for name, now in pairs if name and name != now)
            self._found[row] = found
        key, names = found
        for name in names:
            place = (key, name)
            self.learned[place] = max(day, self.learned.get(place, day))
            self._names.setdefault(name, key)
        return key

    def by_name(self, symbol: str) -> str | None:
        """Return the key of the share that had a symbol before, by files and the master; None if unknown."""
        former = self._former(symbol)
        return None if former is None else former.key

    def symbols(self) -> dict[str, str]:
        """Return the symbol of each share that is listed, by key."""
        return {key: each.symbol for key, each in self._by_key.items() if each.series}

    def successors(self) -> dict[str, str]:
        """Return by key of each listing that has ended the key of the one that continues it: a change of
        series gives a new id.
        """
        return {
            old.key: new.key
            for old in self._by_key.values()
            if not old.series and old.isin and (new := self._by_isin[old.isin]).series
        }

    def _instrument(self, symbol: str, series: str, isin: str, security_id: int | None) -> Instrument | None:
        by_isin, by_symbol = self._by_isin.get(isin), self._by_symbol.get(symbol)
        by_id = self._by_id.get(security_id or 0)
        # An ISIN never passes to another company. A symbol may: after a demerger the new company may have the
        # old one's.
        by_issue = self._by_issue.get(isin_issue(isin)) if isin else None  # before a split of its face value
        known = by_isin or self._former(isin) or by_issue or by_symbol or self._former(symbol)
        if by_id is not None and (by_id.series or known is None) and self._matches(by_id, symbol, isin):
            return by_id
        return known or (None if series else self._indices.get(symbol))

    def _former(self, name: str) -> Instrument | None:
        return self._by_key.get(self._names.get(name, "")) if name else None

    def _matches(self, instrument: Instrument, symbol: str, isin: str) -> bool:
        """Return whether the row names the share that has its id: a share that changes its series gets a new
        id.
        """
        return symbol == instrument.symbol.upper() or (isin != "" and isin == instrument.isin)
