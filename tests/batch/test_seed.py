from __future__ import annotations

from pathlib import Path

from ltp.batch import seed
from ltp.core.instrument import Instrument
from ltp.db import instruments, universes
from ltp.db.engine import open_engine, reading


def test_a_fresh_database_knows_shares_sectors_and_universes(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    seed.ensure(engine)
    hdfc = instruments.fetch_one(engine, "NSE_EQ", 1333)
    assert (hdfc.symbol, hdfc.series, hdfc.sector) == ("HDFCBANK", "EQ", "Financial Services")
    there = universes.fetch(engine)
    assert {name: universe.size for name, universe in there.items()} == {
        "nifty50": 50,
        "nifty100": 100,
        "all": 100,
    }
    assert {universe.source for universe in there.values()} == {universes.SHIPPED}
    assert set(universes.keys(engine, "nifty50")) < set(universes.keys(engine, "nifty100"))


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    seed.ensure(engine)
    with reading(engine) as connection:
        before = instruments.changed_at(connection), universes.version_in(connection)
    seed.ensure(engine)
    with reading(engine) as connection:
        assert (instruments.changed_at(connection), universes.version_in(connection)) == before


def test_an_import_is_not_undone_and_missing_values_are_added(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    imported = Instrument("NSE_EQ", 1333, "HDFCNEW", "HDFC Renamed", "INE040A01099", 1, 1000, "BE", "Banks")
    plain = Instrument("NSE_EQ", 11536, "TCS", "Tata", "", 1, 0)
    retired = Instrument("NSE_EQ", 2885, "RELIANCE", "Reliance", "INE002A01018", 1, 1000, "", "Oil")
    instruments.seed(engine, [imported, plain, retired])
    universes.replace(engine, "nifty50", "Mine", "my.csv", ["NSE_EQ:1333"])
    seed.ensure(engine)
    assert instruments.fetch_one(engine, "NSE_EQ", 1333) == imported
    assert instruments.fetch_one(engine, "NSE_EQ", 2885) == retired
    tcs = instruments.fetch_one(engine, "NSE_EQ", 11536)
    assert (tcs.name, tcs.series, tcs.isin, tcs.tick_size > 0) == ("Tata", "EQ", "INE467B01029", True)
    assert universes.keys(engine, "nifty50") == ["NSE_EQ:1333"]
