"""A share that the exchange moves to another series, by masters with ISINs and without."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch.master_import import MasterImport, import_from
from ltp.batch.relistings import successors
from ltp.core.history.candle import Candle
from ltp.core.instrument import Instrument
from ltp.db import candles, instruments, universes
from ltp.db.engine import open_engine

DETAILED = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SYMBOL,SYMBOL_NAME,DISPLAY_NAME,INSTRUMENT_TYPE,"
    "SERIES,LOT_SIZE,"
    "TICK_SIZE\n"
)
COMPACT = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_TRADING_SYMBOL,SEM_LOT_UNITS,"
    "SEM_CUSTOM_SYMBOL,"
    "SEM_TICK_SIZE,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME\n"
)
EQ, BE = "NSE_EQ:10300", "NSE_EQ:10304"
DAY = date(2026, 6, 29)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    take(engine, tmp_path, DETAILED, detailed(10300, "RAMASTEEL", "EQ", "INE230R01035"), hdfc())
    candles.upsert(engine, "raw", {EQ: [candle(DAY)], "NSE_EQ:1333": [candle(DAY)]})
    universes.replace(engine, "list-a", "A", "", [EQ])
    instruments.set_sectors(engine, [("NSE_EQ", 10300, "Metals")])
    return engine


def candle(day: date) -> Candle:
    return Candle(day, 10, 11, 9, 10, 1000)


def detailed(id_: int, symbol: str, series: str, isin: str) -> str:
    return f"NSE,E,{id_},{isin},EQUITY,{symbol},{symbol} LTD,{symbol},ES,{series},1,1\n"


def compact(id_: int, symbol: str, series: str) -> str:
    return f"NSE,E,{id_},EQUITY,{symbol},1,{symbol},1,ES,{series},{symbol} LTD\n"


def hdfc() -> str:
    return detailed(1333, "HDFCBANK", "EQ", "INE040A01034")


def take(engine: Engine, folder: Path, header: str, *rows: str) -> MasterImport:
    file = folder / "master.csv"
    file.write_text(header + "".join(rows))
    return import_from(engine, str(file))


def test_a_compact_master_joins_by_the_symbol(engine: Engine, tmp_path: Path) -> None:
    there = compact(10304, "RAMASTEEL", "BE"), compact(1333, "HDFCBANK", "EQ")
    done = take(engine, tmp_path, COMPACT, *there)
    assert (done.moved, done.ended) == (1, ())
    assert candles.fetch(engine, "raw", BE) == [candle(DAY)]
    assert candles.fetch(engine, "raw", EQ) == []
    assert universes.keys(engine, "list-a") == [BE]
    share = instruments.fetch_one(engine, "NSE_EQ", 10304)
    assert (share.isin, share.series, share.sector) == ("INE230R01035", "BE", "Metals"), (
        "its ISIN and sector are kept"
    )
    done = take(engine, tmp_path, COMPACT, *there)
    assert (done.moved, done.ended) == (0, ())
    done = take(engine, tmp_path, COMPACT, compact(10300, "RAMASTEEL", "EQ"), there[1])
    assert (done.moved, candles.fetch(engine, "raw", EQ)) == (1, [candle(DAY)]), "and back"


def test_a_share_that_is_listed_again_later_still_finds_its_history(engine: Engine, tmp_path: Path) -> None:
    done = take(engine, tmp_path, COMPACT, compact(1333, "HDFCBANK", "EQ"))
    assert (done.moved, done.ended) == (0, ("RAMASTEEL",))
    done = take(engine, tmp_path, COMPACT, compact(1333, "HDFCBANK", "EQ"), compact(10304, "RAMASTEEL", "BE"))
    assert (done.moved, candles.fetch(engine, "raw", BE)) == (1, [candle(DAY)])


def test_a_symbol_of_long_ago_may_be_another_company_s(engine: Engine, tmp_path: Path) -> None:
    take(engine, tmp_path, COMPACT, compact(1333, "HDFCBANK", "EQ"))
    candles.upsert(engine, "raw", {"NSE_EQ:1333": [candle(DAY + timedelta(days=61))]})
    done = take(engine, tmp_path, COMPACT, compact(1333, "HDFCBANK", "EQ"), compact(10304, "RAMASTEEL", "BE"))
    assert (done.moved, candles.fetch(engine, "raw", BE)) == (0, [])


def test_another_isin_is_another_company_and_the_ended_symbol_is_named(
    engine: Engine, tmp_path: Path
) -> None:
    done = take(engine, tmp_path, DETAILED, detailed(10304, "RAMASTEEL", "BE", "INE999Z01011"), hdfc())
    assert (done.moved, done.ended) == (0, ("RAMASTEEL",))
    assert candles.fetch(engine, "raw", EQ) == [candle(DAY)]
    done = take(engine, tmp_path, DETAILED, hdfc())
    assert done.ended == (), "it has no candles"


def test_a_new_face_value_gives_a_new_isin_of_the_same_company(engine: Engine, tmp_path: Path) -> None:
    done = take(engine, tmp_path, DETAILED, detailed(10304, "RAMASTEEL", "BE", "INE230R01043"), hdfc())
    assert (done.moved, candles.fetch(engine, "raw", BE)) == (1, [candle(DAY)])


def test_the_isin_decides_before_the_symbol() -> None:
    old = Instrument("NSE_EQ", 1, "A", "", "INE000A01011", 1, 5, "EQ")
    renamed = old._replace(security_id=2, symbol="B", series="BE")
    same_symbol = old._replace(security_id=3, isin="")
    bond = old._replace(security_id=4, isin="", series="SM")
    assert successors([old], [same_symbol, renamed]) == [(old, renamed)]
    assert successors([old], [bond, same_symbol]) == [(old, same_symbol)]
    assert successors([old], []) == []


@pytest.mark.parametrize(
    ("old", "new", "continues"),
    [
        ("INE230R01035", "INE230R01043", True),  # a new face value
        ("INE230R01035", "INE999Z01011", False),  # another company
        ("IN9155A01012", "IN9155A01020", True),  # shares with other voting rights: a new face value
        ("INF846K01347", "INF846K01W80", True),  # AXISGOLD in 2017 and in 2026
        ("INF732E01102", "INF204KB17I5", False),  # GOLDBEES before and after its fund house was sold
        ("INE230R01035", "", True),
    ],
)
def test_under_the_same_symbol_nine_characters_of_the_isin_decide(
    old: str, new: str, continues: bool
) -> None:
    ended = Instrument("NSE_EQ", 1, "A", "", old, 1, 5, "EQ")
    listed = ended._replace(security_id=2, isin=new)
    assert successors([ended], [listed]) == ([(ended, listed)] if continues else [])
