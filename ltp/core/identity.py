"""Comparison of two rows of a key: exchanges reuse the ids of ended contracts for other instruments.

A share stays the same after a rename or a new face value; a contract with another expiry, strike or
underlying is another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from ltp.core.instrument import CONTRACT_SEGMENTS, Instrument

_SYMBOL: Final = re.compile(r"(.+?)-([A-Za-z]{3}[0-9]{4}-.+)", re.ASCII)  # NIFTY-Nov2026-26000-CE
_NAME: Final = re.compile(r"(.+?)\s+([0-9]{1,2} [A-Za-z]{3}\b.*)", re.ASCII)  # NIFTY 24 NOV 26000 CALL
_ISSUE: Final = (
    9  # characters of an equity ISIN that a new face value keeps: country, issuer, kind of security
)


class ContractTerms(NamedTuple):
    """The parts of a contract's text: its underlying, and its expiry, strike and kind."""

    underlying: str
    terms: str


def same_instrument(old: Instrument, new: Instrument, renamed: Mapping[str, str]) -> bool:
    """Return whether two rows of a key are the same instrument; True if there is no evidence.

    `renamed`: former to present symbols of shares, which the text of contracts on them contains.
    """
    if new.segment in CONTRACT_SEGMENTS:
        return _same_contract(old, new, renamed)
    return new.segment == "IDX_I" or _same_share(old, new)


def _same_share(old: Instrument, new: Instrument) -> bool:
    if old.symbol == new.symbol or not old.isin or not new.isin or old.isin == new.isin:
        return True
    return isin_issue(old.isin) == isin_issue(new.isin)


def isin_issue(isin: str) -> str:
    """Return the part of an Indian company's ISIN that a new face value keeps; other ISINs whole."""
    return isin[:_ISSUE] if isin.startswith("INE") else isin


def _same_contract(old: Instrument, new: Instrument, renamed: Mapping[str, str]) -> bool:
    symbols = _parse_terms(_SYMBOL, old.symbol), _parse_terms(_SYMBOL, new.symbol)
    names = _parse_terms(_NAME, old.name), _parse_terms(_NAME, new.name)
    if None in symbols:
        same_symbol = old.symbol.casefold() == new.symbol.casefold()
        return same_symbol or (None not in names and _same_terms(*names, renamed))
    if names[0] is not None and names[1] is not None and names[0].terms != names[1].terms:
        return False
    return _same_terms(*symbols, renamed)


def _same_terms(old: ContractTerms | None, new: ContractTerms | None, renamed: Mapping[str, str]) -> bool:
    if old is None or new is None or old.terms != new.terms:
        return False
    return new.underlying in {old.underlying, renamed.get(old.underlying, "").casefold()}


def _parse_terms(pattern: re.Pattern[str], text: str) -> ContractTerms | None:
    found = pattern.fullmatch(" ".join(text.split()).casefold())
    return None if found is None else ContractTerms(found[1], found[2])
