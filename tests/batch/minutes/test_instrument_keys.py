from __future__ import annotations

import pytest

from ltp.batch import seed
from ltp.batch.minutes.instrument_keys import InstrumentKeys
from ltp.core.instrument import Instrument
from ltp.db import instruments
from ltp.db.engine import open_engine


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("HDFCBANK", "NSE_EQ:1333"),
        (" hdfcbank ", "NSE_EQ:1333"),
        ("NSE_EQ:1333", "NSE_EQ:1333"),
        ("IDX_I:NIFTY", "IDX_I:13"),
        ("NIFTY", "IDX_I:13"),
        ("Nifty 50", "IDX_I:13"),
        ("INDIAVIX", "IDX_I:21"),
        ("NSE_FNO:35001", "NSE_FNO:35001"),
        ("NSE_FNO:35002", None),
        ("NSE_EQ:4000000000", None),
        ("NOBODY", None),
        ("", None),
    ],
)
def test_a_name_is_an_instrument_of_the_master(empty_database: str, name: str, key: str | None) -> None:
    engine = open_engine(empty_database)
    seed.ensure(engine)
    instruments.seed(engine, [Instrument("NSE_FNO", 35001, "NIFTY-DEC", "NIFTY DEC FUT", "", 75, 500)])
    keys = InstrumentKeys(engine)
    assert keys.find(name) == key
    assert keys.find(name) == key
