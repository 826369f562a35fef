"""The keys of instruments that rows of a file, or an operator, name by symbol."""

from __future__ import annotations

from typing import Final

from ltp.core.instrument import parse_key
from ltp.core.symbol_lookup import SymbolLookup
from ltp.db import instruments
from ltp.db.engine import Engine
from ltp.errors import InputError

_INDICES: Final = "IDX_I"
_BY_SYMBOL: Final = ("NSE_EQ", "BSE_EQ", _INDICES)


class InstrumentKeys:
    """Finds the instruments of the master by key, SEGMENT:SYMBOL or symbol."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        known = [each for segment in _BY_SYMBOL for each in instruments.fetch(engine, segment)]
        self._lookup = SymbolLookup(known, instruments.fetch_names(engine))
        # Files write NIFTYMETAL and INDIAVIX for NIFTY METAL and INDIA VIX.
        self._indices = {
            name.upper().replace(" ", ""): each.key
            for each in known
            if each.segment == _INDICES
            for name in (each.name, each.symbol)
        }
        self._found: dict[str, str | None] = {}

    def find(self, name: str) -> str | None:
        """Return the key of an instrument of the master, None for an unknown name."""
        if name not in self._found:
            self._found[name] = self._search(name)
        return self._found[name]

    def require(self, name: str, option: str) -> str:
        """As `find`. Raises InputError, which names the option, for an unknown name."""
        key = self.find(name)
        if key is None:
            accepted = "a symbol or key of the instrument master, such as HDFCBANK or NSE_EQ:1333"
            raise InputError(option, name, accepted)
        return key

    def _search(self, name: str) -> str | None:
        instrument = self._lookup.resolve(name)
        if instrument is not None:
            return instrument.key
        try:
            key = parse_key(name.strip().upper())
        except InputError:
            return self._indices.get(name.strip().upper().replace(" ", ""))
        return key if instruments.fetch_named(self._engine, [key]) else None
