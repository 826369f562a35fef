from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.core.instrument import Instrument
from ltp.db import instruments
from ltp.db.engine import open_engine, reading, writing
from ltp.errors import DatabaseError, NotFoundError

HDFC = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "INE040A01034", 1, 500)
NIFTY = Instrument("IDX_I", 13, "NIFTY", "Nifty 50", "", 1, 0)
ABB = Instrument("NSE_EQ", 13, "ABB", "ABB India", "INE117A01022", 1, 500)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    instruments.seed(engine, [HDFC, NIFTY, ABB])
    return engine


def find(engine: Engine, key: str) -> Instrument | None:
    return next((instrument for instrument in instruments.fetch_all(engine) if instrument.key == key), None)


def test_an_id_alone_names_nothing(engine: Engine) -> None:
    assert instruments.fetch_all(engine) == [NIFTY, ABB, HDFC]


def changed_at(engine: Engine) -> object:
    with reading(engine) as connection:
        return instruments.changed_at(connection)


def test_seeding_again_updates_only_changed_instruments(engine: Engine) -> None:
    before = changed_at(engine)
    instruments.seed(engine, [HDFC, NIFTY])
    assert changed_at(engine) == before
    instruments.seed(engine, [HDFC._replace(tick_size=1000)])
    assert changed_at(engine) != before
    assert find(engine, "NSE_EQ:1333") == HDFC._replace(tick_size=1000)
    assert len(instruments.fetch_all(engine)) == 3


def test_an_added_instrument_never_overwrites_the_master(engine: Engine) -> None:
    new = Instrument("BSE_EQ", 500180, "HDFCBANK", "", "", 1, 0)
    with writing(engine) as connection:
        instruments.add_missing(connection, [HDFC._replace(symbol="WRONG"), new])
    assert find(engine, HDFC.key) == HDFC
    assert find(engine, new.key) == new


def test_nothing_to_seed_is_no_error(engine: Engine) -> None:
    instruments.seed(engine, [])
    assert len(instruments.fetch_all(engine)) == 3


def test_hostile_text_is_a_value_and_nothing_more(engine: Engine) -> None:
    hostile = HDFC._replace(
        security_id=7, symbol="'; DROP TABLE instruments; --", name='<img src=x onerror="1">'
    )
    instruments.seed(engine, [hostile])
    assert find(engine, "NSE_EQ:7") == hostile


def test_a_seed_that_fails_stores_nothing(engine: Engine) -> None:
    with pytest.raises(DatabaseError):
        instruments.seed(engine, [HDFC._replace(security_id=8), HDFC._replace(security_id=9, symbol=None)])
    assert find(engine, "NSE_EQ:8") is None


def names(engine: Engine) -> dict[tuple[str, str], str]:
    return instruments.fetch_names(engine)


def test_a_rename_and_a_new_isin_keep_the_id_and_the_former_names(engine: Engine) -> None:
    instruments.seed(engine, [ABB._replace(symbol="ABBNEW", isin="INE117A01030")])
    assert find(engine, "NSE_EQ:13") == ABB._replace(symbol="ABBNEW", isin="INE117A01030")
    assert names(engine) == {("NSE_EQ", "ABB"): "NSE_EQ:13", ("NSE_EQ", "INE117A01022"): "NSE_EQ:13"}
    instruments.seed(engine, [ABB._replace(symbol="ABBNEWER", isin="INE117A01030")])
    assert names(engine)["NSE_EQ", "ABBNEW"] == "NSE_EQ:13"


def test_contracts_have_no_former_names(engine: Engine) -> None:
    future = Instrument("NSE_FNO", 7, "TCS-Sep2026-FUT", "", "", 175, 500)
    instruments.seed(engine, [future])
    instruments.seed(engine, [future._replace(symbol="LT-Oct2026-FUT")])
    assert names(engine) == {}


def test_columns_that_a_source_lacks_keep_their_values(engine: Engine) -> None:
    instruments.seed(engine, [HDFC._replace(series="EQ", sector="Financial Services")])
    instruments.seed(engine, [HDFC._replace(isin="", tick_size=0)])
    assert find(engine, HDFC.key) == HDFC._replace(series="EQ", sector="Financial Services")
    assert names(engine) == {}


def test_an_ended_contract_goes_and_an_ended_share_stays_without_a_series(engine: Engine) -> None:
    contracts = [Instrument("NSE_FNO", id_, f"F{id_}", "", "", 1, 5) for id_ in (1, 2, 3)]
    instruments.seed(engine, [*contracts, HDFC._replace(series="EQ"), ABB._replace(series="EQ")])
    with writing(engine) as connection:
        assert instruments.retire(connection, "NSE_FNO", {2}) == 2
        assert instruments.retire(connection, "NSE_EQ", {1333}) == 1
        assert instruments.retire(connection, "NSE_EQ", {1333}) == 0
    assert [each.key for each in instruments.fetch(engine, "NSE_FNO")] == ["NSE_FNO:2"]
    assert instruments.fetch(engine, "NSE_EQ") == [ABB, HDFC._replace(series="EQ")]


def test_one_segment_one_instrument_and_the_counts(engine: Engine) -> None:
    assert instruments.fetch(engine, "IDX_I") == [NIFTY]
    assert instruments.fetch_one(engine, "NSE_EQ", 13) == ABB
    with pytest.raises(NotFoundError, match="NSE_EQ:14"):
        instruments.fetch_one(engine, "NSE_EQ", 14)
    assert instruments.counts(engine) == {"IDX_I": 1, "NSE_EQ": 2}


def test_a_sector_is_replaced_and_an_equal_one_is_no_change(engine: Engine) -> None:
    instruments.set_sectors(engine, [("NSE_EQ", 1333, "Banks"), ("NSE_EQ", 9, "Nobody")])
    assert find(engine, HDFC.key) == HDFC._replace(sector="Banks")
    before = changed_at(engine)
    instruments.set_sectors(engine, [("NSE_EQ", 1333, "Banks")])
    assert changed_at(engine) == before


def test_more_than_a_batch(engine: Engine) -> None:
    many = [
        Instrument("NSE_FNO", id_, f"F{id_}", "", "", 1, 5) for id_ in range(1, instruments.BATCH * 2 + 2)
    ]
    instruments.seed(engine, many)
    found = list(instruments.fetch_batches(engine))
    assert [len(batch) for batch in found] == [instruments.READ] * 8 + [4]
    assert [each for batch in found for each in batch] == [NIFTY, ABB, HDFC, *many]
