"""One row of DhanHQ's instrument master: its cells as text to an instrument and its kind.

Knows the quirks of the values, not their places in a line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from ltp.core.instrument import MAX_SECURITY_ID, Instrument
from ltp.core.money import SCALE

_SEGMENTS: Final = {
    ("NSE", "E"): "NSE_EQ",
    ("NSE", "D"): "NSE_FNO",
    ("NSE", "C"): "NSE_CURRENCY",
    ("NSE", "I"): "IDX_I",
    ("BSE", "E"): "BSE_EQ",
    ("BSE", "D"): "BSE_FNO",
    ("BSE", "C"): "BSE_CURRENCY",
    ("BSE", "I"): "IDX_I",
    ("MCX", "M"): "MCX_COMM",
    ("MCX", "I"): "IDX_I",
}
_MAX_TEXT: Final = 200
_MAX_LOT: Final = 2**31 - 1
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", re.ASCII)
# 01: equity shares; bonds and preference shares differ.
_EQUITY_ISIN = re.compile(r"INE[A-Z0-9]{4}01[A-Z0-9]{3}", re.ASCII)
_FUTURE = re.compile(r"(.+)-[A-Za-z]{3}[0-9]{4}-FUT", re.ASCII)
_WHOLE = re.compile(r"([0-9]{1,10})(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{0,12})?", re.ASCII)
# Control characters have no business in a name, and bidirectional overrides could make one read as another.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOTHING: Final = frozenset({"", "NA", "N/A", "NULL", "NAN", "NONE"})


class ScripRow(NamedTuple):
    """One row. `kind`: EQUITY, INDEX, FUTSTK, OPTIDX, ... `share`: an equity share, not a bond, bill or fund.

    `underlying` and `underlying_id`: of a stock future, the symbol and the exchange's number of the share; ""
    and 0 otherwise.
    """

    instrument: Instrument
    kind: str
    share: bool
    underlying: str = ""
    underlying_id: int = 0


class UnknownSegment(Exception):
    """A row of an exchange or segment that the feed has no number for."""


def parse_row(
    exchange: str,
    letter: str,
    id_: str,
    kind: str,
    trading: str,
    underlying: str,
    underlying_id: str,
    long_name: str,
    label: str,
    isin: str,
    type_: str,
    series: str,
    lot: str,
    tick: str,
) -> ScripRow:
    """Return the instrument and the kind that the cells describe.

    Raises ValueError with the cell that is not accepted, UnknownSegment for a segment without prices.
    """
    segment, kind, type_ = _segment(exchange, letter), kind.strip().upper(), type_.strip().upper()
    security_id = _whole(id_)
    if not 0 < security_id <= MAX_SECURITY_ID:
        raise ValueError(f"{id_[:20]!r} is no security id")
    contract = letter.strip().upper() not in {"E", "I"}
    # A contract's own symbol is in the long name's column; the long name of a share must not become its
    # symbol.
    symbol = (
        _text(trading) or _text(long_name if contract else underlying) or _text(label) or _text(long_name)
    )
    if not symbol:
        raise ValueError("it has no symbol")
    isin = isin.strip().upper()
    instrument = Instrument(
        segment,
        security_id,
        symbol,
        _text(label) or _text(long_name) or symbol,
        isin if _ISIN.fullmatch(isin) else "",
        min(max(_whole(lot) if lot.strip() else 1, 1), _MAX_LOT),
        _tick(tick, letter.strip().upper() == "C"),
        "" if contract or segment == "IDX_I" else _series(series),
    )
    if kind != "FUTSTK":
        return ScripRow(instrument, kind, kind == "EQUITY" and _is_share(type_, isin))
    future = _FUTURE.fullmatch(symbol)
    of = _text(underlying) or (future[1] if future else "")
    return ScripRow(instrument, kind, False, of, _whole(underlying_id) if underlying_id.strip() else 0)


@lru_cache(maxsize=64)
def _segment(exchange: str, letter: str) -> str:
    try:
        return _SEGMENTS[exchange.strip().upper(), letter.strip().upper()]
    except KeyError:
        if not (exchange.strip().isalpha() and letter.strip().isalpha()):
            raise ValueError(f"{exchange[:20]!r}, {letter[:20]!r} is no exchange and segment") from None
        raise UnknownSegment(f"{exchange.strip()} {letter.strip()}"[:20]) from None


def _is_share(type_: str, isin: str) -> bool:
    """Tell shares from other instruments that trade as EQUITY.

    A few shares have the type "Other"; their ISIN shows that they are shares.
    """
    return type_ == "ES" or (type_ in {"OTHER", *_NOTHING} and _EQUITY_ISIN.fullmatch(isin) is not None)


@lru_cache(maxsize=4096)
def _whole(text: str) -> int:
    """Read a whole number, also as a spreadsheet writes it back (1333.0)."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:20]!r} is no whole number")
    return int(match[1])


@lru_cache(maxsize=1024)
def _tick(text: str, currency: bool) -> int:
    """Return the price grid in price units, 0 when unknown.

    The column holds paise, for indices rupees. No exchange has a grid finer than a paisa (a quarter for
    currencies), so a smaller number of paise must be rupees.
    """
    text = text.strip()
    if text.upper() in _NOTHING:
        return 0
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{text[:20]!r} is no tick size")
    value = max(float(text), 0.0)
    return round(value * SCALE) if value < (0.01 if currency else 1) else round(value * SCALE / 100)


@lru_cache(maxsize=1024)
def _series(text: str) -> str:
    text = text.strip().upper()
    return "" if text in _NOTHING else text[:8]


def _text(text: str) -> str:
    """Return a name fit for a page: one line, bounded, without control characters; "" for none."""
    if not text.isprintable():
        text = _UNFIT.sub(" ", text)
    text = text.strip()
    if "  " in text:
        text = " ".join(text.split())
    return "" if text.upper() in _NOTHING else text[:_MAX_TEXT]
