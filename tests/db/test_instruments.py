from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.core.instrument import Instrument
from ltp.db import instruments
from ltp.db.engine import open_engine, reading, writing
from ltp.errors import DatabaseError

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


def test_seeding_again_corrects_what_differs_and_touches_nothing_else(engine: Engine) -> None:
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
    hostile = HDFC._replace(security_id=7, symbol="'; DROP TABLE instruments; --", name='<img src=x onerror="1">')
    instruments.seed(engine, [hostile])
    assert find(engine, "NSE_EQ:7") == hostile


def test_a_seed_that_fails_stores_nothing(engine: Engine) -> None:
    with pytest.raises(DatabaseError):
        instruments.seed(engine, [HDFC._replace(security_id=8), HDFC._replace(security_id=9, symbol=None)])
    assert find(engine, "NSE_EQ:8") is None
