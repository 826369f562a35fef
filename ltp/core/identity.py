"""Whether a key still means the same instrument after a new master: exchanges give the ids of ended contracts
again.

A rename and a new face value are no change of a share; another expiry, strike or underlying is one of a
contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from ltp.core.instrument import CONTRACT_SEGMENTS, Instrument

_SYMBOL: Final = re.compile(r"(.+?)-([A-Za-z]{3}[0-9]{4}-.+)", re.ASCII)  # NIFTY-Nov2026-26000-CE
_NAME: Final = re.compile(r"(.+?)\s+([0-9]{1,2} [A-Za-z]{3}\b.*)", re.ASCII)  # NIFTY 24 NOV 26000 CALL
_ISSUER: Final = (
    9  # characters of an equity ISIN that a new face value leaves: country, issuer, kind of security
)


class ContractTerms(NamedTuple):
    """A contract's text in two halves: its underlying, and its expiry, strike and kind."""

    underlying: str
    terms: str


def same_instrument(old: Instrument, new: Instrument, renamed: Mapping[str, str]) -> bool:
    """Return whether two rows of one key mean the same instrument; True where nothing tells.

    `renamed`: former to present symbols of shares, since a contract bears its underlying's.
    """
    if new.segment in CONTRACT_SEGMENTS:
        return _same_contract(old, new, renamed)
    return new.segment == "IDX_I" or _same_share(old, new)


def _same_share(old: Instrument, new: Instrument) -> bool:
    if old.symbol == new.symbol or not old.isin or not new.isin or old.isin == new.isin:
        return True
    return issue(old.isin) == issue(new.isin)


def issue(isin: str) -> str:
    """Return what an ISIN keeps when the face value changes; of anything but an Indian company's, the ISIN
    itself.
    """
    return isin[:_ISSUER] if isin.startswith("INE") else isin


def _same_contract(old: Instrument, new: Instrument, renamed: Mapping[str, str]) -> bool:
    symbols = _parted(_SYMBOL, old.symbol), _parted(_SYMBOL, new.symbol)
    names = _parted(_NAME, old.name), _parted(_NAME, new.name)
    if None in symbols:
        return old.symbol.casefold() == new.symbol.casefold() or (
            None not in names and _alike(*names, renamed)
        )
    return _alike(*symbols, renamed) and (None in names or names[0].terms == names[1].terms)  # type: ignore[union-attr]


def _alike(old: ContractTerms | None, new: ContractTerms | None, renamed: Mapping[str, str]) -> bool:
    if old is None or new is None or old.terms != new.terms:
        return False
    return new.underlying in {old.underlying, renamed.get(old.underlying, "").casefold()}


def _parted(pattern: re.Pattern[str], text: str) -> ContractTerms | None:
    found = pattern.fullmatch(" ".join(text.split()).casefold())
    return None if found is None else ContractTerms(found[1], found[2])
