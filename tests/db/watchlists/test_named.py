from __future__ import annotations

from sqlalchemy import Engine

from ltp.core.instrument import Instrument
from ltp.db import instruments
from ltp.db.watchlists.named import finder

MASTER = [
    Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500, "EQ"),
    Instrument("BSE_EQ", 500180, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500, "A"),
    Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 500),
    Instrument("NSE_FNO", 49081, "NIFTY-Dec2026-FUT", "NIFTY DEC FUT", "", 75, 1000),
    Instrument("NSE_CURRENCY", 8, "USDINR-Dec2026-FUT", "USDINR", "", 1, 25),
    Instrument("MCX_COMM", 9, "GOLD-05Feb2027-FUT", "GOLD", "", 1, 100),
    Instrument("NSE_EQ", 17, "OLDNAME", "Old", "INE000000017", 1, 500, "EQ"),
]
TEXTS = {
    "hdfcbank": "NSE_EQ:1333",
    " NSE_EQ:1333 ": "NSE_EQ:1333",
    "BSE_EQ:HDFCBANK": "BSE_EQ:500180",
    "INE040A01034": "NSE_EQ:1333",
    "hdfc bank limited": "NSE_EQ:1333",
    "NIFTY": "IDX_I:13",
    "nifty 50": "IDX_I:13",
    "NIFTY-Dec2026-FUT": "NSE_FNO:49081",
    "NSE_CURRENCY:8": "NSE_CURRENCY:8",
    "GOLD-05Feb2027-FUT": "MCX_COMM:9",
    "OLDNAME": "NSE_EQ:17",
    "NEWNAME": "NSE_EQ:17",
    "HDFC": None,
    "NSE_EQ:4": None,
    "%": None,
    "HDFC\x00BANK": None,
    "\ud800": None,
    "": None,
}


def test_each_text_names_one_instrument_or_none(engine: Engine) -> None:
    instruments.seed(engine, MASTER)
    instruments.seed(engine, [MASTER[-1]._replace(symbol="NEWNAME")])
    find = finder(engine, TEXTS)
    assert {text: find(text) for text in TEXTS} == TEXTS


def test_a_thousand_texts(engine: Engine) -> None:
    instruments.seed(engine, MASTER)
    find = finder(engine, [f"X{number}" for number in range(1_000)] + ["HDFCBANK"])
    assert (find("X1"), find("HDFCBANK")) == (None, "NSE_EQ:1333")
