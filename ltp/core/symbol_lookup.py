"""Look-up of instruments by symbol, ISIN or key; present names come before former ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ltp.core.instrument import SHARE_SERIES, Instrument

SEGMENT: Final = "NSE_EQ"


class SymbolLookup:
    """Immutable: build a new one when the instruments change.

    A symbol may belong to a share, to its bonds and to a listing that has ended (MOTHERSON is a share and a
    bond): the share that trades comes first.
    """

    def __init__(
        self, instruments: Iterable[Instrument], names: Mapping[tuple[str, str], str] | None = None
    ) -> None:
        """`names`: (segment, former symbol or ISIN) to key, as `db.instruments.fetch_names` returns it."""
        self._by_key = {instrument.key: instrument for instrument in instruments}
        self._by_symbol: dict[tuple[str, str], list[Instrument]] = {}
        self._by_isin: dict[tuple[str, str], list[Instrument]] = {}
        for instrument in sorted(self._by_key.values(), key=preference):
            self._by_symbol.setdefault((instrument.segment, instrument.symbol.upper()), []).append(instrument)
            if instrument.isin:
                self._by_isin.setdefault((instrument.segment, instrument.isin), []).append(instrument)
        self._names = names or {}

    def find(
        self, symbol: str, *, series: str = "", isin: str = "", segment: str = SEGMENT
    ) -> Instrument | None:
        """Return the instrument of a symbol, else of an ISIN, else of a former symbol or ISIN, else None.

        `series` and `isin` choose between several of one symbol; they need not match, because both change.
        """
        symbol = symbol.strip().upper()
        for found in (
            self._by_symbol.get((segment, symbol)),
            self._by_isin.get((segment, isin)) if isin else None,
        ):
            if found:
                return min(
                    found,
                    key=lambda each: (not isin or each.isin != isin, not series or each.series != series),
                )
        for name in (symbol, isin):
            former = self._by_key.get(self._names.get((segment, name), "")) if name else None
            if former is not None:
                return former
        return None

    def resolve(self, text: str) -> Instrument | None:
        """Return the instrument of a key (NSE_EQ:1333), of SEGMENT:SYMBOL, or of an NSE symbol."""
        known = self._by_key.get(text.strip().upper())
        if known is not None:
            return known
        segment, colon, symbol = text.strip().upper().partition(":")
        return self.find(symbol, segment=segment) if colon else self.find(text)


def preference(instrument: Instrument) -> tuple[int, int]:
    """Sort key for instruments of one symbol: the share before its bonds and older listings."""
    place = SHARE_SERIES.index(instrument.series) if instrument.series in SHARE_SERIES else len(SHARE_SERIES)
    return place, instrument.security_id
