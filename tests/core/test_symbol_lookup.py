from __future__ import annotations

from ltp.core.instrument import Instrument
from ltp.core.symbol_lookup import SymbolLookup

SHARE = Instrument("NSE_EQ", 4204, "MOTHERSON", "Samvardhana Motherson", "INE775A01035", 1, 100, "EQ")
BOND = Instrument("NSE_EQ", 1510, "MOTHERSON", "SMIL 6.5%", "INE775A08105", 1, 500, "D1")
ENDED = Instrument("NSE_EQ", 77, "JBMA", "JBM Auto", "INE927D01044", 1, 500, "")
MOVED = Instrument("NSE_EQ", 99, "JBMA", "JBM Auto", "INE927D01044", 1, 500, "BE")
RENAMED = Instrument("NSE_EQ", 3456, "TMPV", "Tata Motors Passenger Vehicles", "INE155A01022", 1, 500, "EQ")
INDEX = Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 500)
NAMES = {
    ("NSE_EQ", "TATAMOTORS"): "NSE_EQ:3456",
    ("NSE_EQ", "INE000A01000"): "NSE_EQ:4204",
    ("NSE_EQ", "GONE"): "NSE_EQ:1",
}
LOOKUP = SymbolLookup([BOND, SHARE, ENDED, MOVED, RENAMED, INDEX], NAMES)


def test_a_symbol_is_its_share_and_the_listing_that_trades() -> None:
    assert LOOKUP.find("motherson ") == SHARE
    assert LOOKUP.find("JBMA") == MOVED


def test_isin_and_series_decide_between_several() -> None:
    assert LOOKUP.find("MOTHERSON", series="D1") == BOND
    assert LOOKUP.find("MOTHERSON", isin=BOND.isin) == BOND
    assert LOOKUP.find("MOTHERSON", series="BE", isin="INE000X01000") == SHARE


def test_an_isin_finds_a_share_with_another_symbol() -> None:
    assert LOOKUP.find("OLDNAME", isin=RENAMED.isin) == RENAMED


def test_a_former_name_comes_last() -> None:
    assert LOOKUP.find("TATAMOTORS") == RENAMED
    assert LOOKUP.find("X", isin="INE000A01000") == SHARE
    assert LOOKUP.find("GONE") is None
    assert LOOKUP.find("") is None


def test_a_key_a_symbol_of_a_segment_or_an_nse_symbol() -> None:
    assert LOOKUP.resolve("nse_eq:1510") == BOND
    assert LOOKUP.resolve("IDX_I:NIFTY") == INDEX
    assert LOOKUP.resolve("NIFTY") is None
    assert LOOKUP.resolve("TMPV") == RENAMED
