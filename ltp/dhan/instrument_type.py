"""DhanHQ's name of an instrument's type, which its chart endpoints ask for."""

from __future__ import annotations

import re
from typing import Final

from ltp.core.instrument import CURRENCY_SEGMENTS, Instrument

# The indices that have contracts. The instrument master has the type in a column, which is not stored.
_INDICES: Final = frozenset(
    {"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "SENSEX", "BANKEX", "SENSEX50"}
)
_OPTION: Final = re.compile(r".*[- ](CE|PE|CALL|PUT)", re.IGNORECASE | re.ASCII)


def instrument_type(instrument: Instrument) -> str:
    """Return EQUITY, INDEX, FUTSTK, OPTIDX, … A contract's is read from its symbol, such as
    NIFTY-Nov2026-24000-CE.
    """
    segment, symbol = instrument.segment, instrument.symbol
    if segment == "IDX_I":
        return "INDEX"
    if segment in {"NSE_EQ", "BSE_EQ"}:
        return "EQUITY"
    option = _OPTION.fullmatch(symbol) is not None
    if segment == "MCX_COMM":
        return "OPTFUT" if option else "FUTCOM"
    if segment in CURRENCY_SEGMENTS:
        return "OPTCUR" if option else "FUTCUR"
    of_index = re.split("[- ]", symbol, maxsplit=1)[0].upper() in _INDICES
    return ("OPT" if option else "FUT") + ("IDX" if of_index else "STK")
