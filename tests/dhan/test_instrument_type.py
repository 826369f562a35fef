from __future__ import annotations

import pytest

from ltp.core.instrument import Instrument
from ltp.dhan.instrument_type import instrument_type


@pytest.mark.parametrize(
    ("segment", "symbol", "expected"),
    [
        ("IDX_I", "NIFTY", "INDEX"),
        ("NSE_EQ", "RELIANCE", "EQUITY"),
        ("BSE_EQ", "NIFTYBEES", "EQUITY"),
        ("NSE_FNO", "NIFTY-Nov2026-FUT", "FUTIDX"),
        ("NSE_FNO", "BAJAJ-AUTO-Nov2026-FUT", "FUTSTK"),
        ("NSE_FNO", "NIFTY-Nov2026-24000-CE", "OPTIDX"),
        ("NSE_FNO", "RELIANCE 26 NOV 1400 PUT", "OPTSTK"),
        ("BSE_FNO", "SENSEX-Nov2026-84000-PE", "OPTIDX"),
        ("MCX_COMM", "CRUDEOIL-18Nov2026-FUT", "FUTCOM"),
        ("MCX_COMM", "CRUDEOIL-18Nov2026-5000-CE", "OPTFUT"),
        ("NSE_CURRENCY", "USDINR-Nov2026-FUT", "FUTCUR"),
        ("BSE_CURRENCY", "USDINR-Nov2026-84-PE", "OPTCUR"),
    ],
)
def test_the_type_follows_from_segment_and_symbol(segment: str, symbol: str, expected: str) -> None:
    assert instrument_type(Instrument(segment, 1, symbol, symbol, "", 1, 5)) == expected
