"""An instrument and its key `SEGMENT:SECURITY_ID`.

Ids repeat across segments (13 is NIFTY in IDX_I and ABB in NSE_EQ), so an id alone never names an instrument.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ltp.errors import InputError

SEGMENTS = ("IDX_I", "NSE_EQ", "NSE_FNO", "NSE_CURRENCY", "BSE_EQ", "MCX_COMM", "BSE_CURRENCY", "BSE_FNO")
CURRENCY_SEGMENTS = frozenset({"NSE_CURRENCY", "BSE_CURRENCY"})
CONTRACT_SEGMENTS = frozenset({"NSE_FNO", "BSE_FNO", "NSE_CURRENCY", "BSE_CURRENCY", "MCX_COMM"})
# Series of shares in order of preference: a symbol may also belong to bonds and to older listings.
SHARE_SERIES = ("EQ", "BE", "BZ", "SM", "ST")
MAX_SECURITY_ID = 2**32 - 1  # u32 in the feed's packets

_KEY = re.compile(r"([A-Z_]{2,16}):([1-9][0-9]{0,9})", re.ASCII)
_ACCEPTED = "a key is SEGMENT:SECURITY_ID such as NSE_EQ:1333, SEGMENT one of " + ", ".join(SEGMENTS)


class Instrument(NamedTuple):
    """One row of the instrument master.

    `tick_size` is in price units (1/10,000 rupee), 0 if unknown. `isin` is empty for indices. `series`: EQ,
    BE, ...; it and `sector` are empty if no source has them.
    """

    segment: str
    security_id: int
    symbol: str
    name: str
    isin: str
    lot_size: int
    tick_size: int
    series: str = ""
    sector: str = ""

    @property
    def key(self) -> str:
        return f"{self.segment}:{self.security_id}"


def parse_key(text: str, where: str = "keys") -> str:
    """Return `text` if it is a well-formed key of a known segment.

    Raises:
        InputError: names `where` and the text.
    """
    match = _KEY.fullmatch(text)
    if match is None or match[1] not in SEGMENTS or int(match[2]) > MAX_SECURITY_ID:
        raise InputError(where, text, _ACCEPTED)
    return text


def split_key(key: str) -> tuple[str, int]:
    """Split a well-formed key: ("NSE_EQ", 1333)."""
    segment, _, security_id = key.partition(":")
    return segment, int(security_id)


def element_id(column: str, key: str) -> str:
    """Return the id of the page element for `column` of `key`: ltp-NSE_EQ-1333.

    The run after @ in a column is left out, because a page shows plans of one run: to_entry@17 gives
    to_entry-NSE_EQ-1333.
    """
    return f"{column.partition('@')[0]}-{key.replace(':', '-')}"
