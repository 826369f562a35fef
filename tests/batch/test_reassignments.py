"""Masters in which a key means another instrument than before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch import master_import
from ltp.batch.master_import import MasterImport, import_from
from ltp.core.history.candle import Candle
from ltp.db import candles, instruments, universes
from ltp.db.engine import open_engine

HEADER = (
    "EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,"
    "DISPLAY_NAME,"
    "INSTRUMENT_TYPE,SERIES,LOT_SIZE,TICK_SIZE\n"
)
CALL = "NSE,D,45000,NA,OPTIDX,26000,NIFTY,NIFTY-Nov2026-26000-CE,NIFTY 24 NOV 26000 CALL,OP,NA,65,5\n"
PUT = (
    "NSE,D,45000,NA,OPTIDX,26009,BANKNIFTY,BANKNIFTY-Dec2026-60000-PE,BANKNIFTY 29 DEC 60000 PUT,OP,NA,35,5\n"
)
DAY = date(2026, 11, 20)
Take = Callable[..., MasterImport]


def share(id_: int, symbol: str, isin: str, series: str = "EQ") -> str:
    return f"NSE,E,{id_},{isin},EQUITY,,{symbol},{symbol} LTD,{symbol},ES,{series},1,5\n"


def future(id_: int, symbol: str) -> str:
    return f"NSE,D,{id_},NA,FUTSTK,5097,{symbol},{symbol}-Dec2026-FUT,{symbol} 29 DEC FUT,FUT,NA,100,5\n"


A = share(1, "AAA", "INE001A01011")
B = share(2, "BBB", "INE002A01018")
COMPACT = (
    "SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_TRADING_SYMBOL,SEM_LOT_UNITS,"
    "SEM_CUSTOM_SYMBOL,"
    "SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,"
    "SM_SYMBOL_NAME\n"
)
ZOMATO, ETERNAL = share(5097, "ZOMATO", "INE758T01015"), share(5097, "ETERNAL", "INE758T01015")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def take(engine: Engine, tmp_path: Path) -> Take:
    def taken(*rows: str) -> MasterImport:
        file = tmp_path / "master.csv"
        file.write_text(HEADER + "".join(rows))
        return import_from(engine, str(file))

    return taken


def keep(engine: Engine, **closes: int) -> None:
    """Store one candle a key: `NSE_EQ_1=100`."""
    kept = {
        name[::-1].replace("_", ":", 1)[::-1]: [Candle(DAY, close, close, close, close, 1)]
        for name, close in closes.items()
    }
    candles.upsert(engine, "raw", kept)


def closes(engine: Engine) -> dict[str, int]:
    keys = sorted(candles.last_days(engine, "raw"))
    return {key: int(stored["close"][-1]) for key in keys for stored in [_stored(engine, key)]}


def _stored(engine: Engine, key: str) -> dict[str, list[int]]:
    return {"close": [candle.close for candle in candles.fetch(engine, "raw", key)]}


def test_another_contract_keeps_nothing_of_the_one_before(engine: Engine, take: Take) -> None:
    assert take(A, CALL).reassigned == ()
    keep(engine, NSE_FNO_45000=100)
    universes.replace(engine, "list-a", "A", "", ["NSE_FNO:45000", "NSE_EQ:1"])
    assert take(A, PUT).reassigned == ("NSE_FNO:45000",)
    assert closes(engine) == {}
    assert universes.fetch(engine)["list-a"].size == 1
    assert take(A, PUT).reassigned == ()


def test_a_share_that_gave_its_id_to_another_takes_its_history_along(engine: Engine, take: Take) -> None:
    take(A, B)
    keep(engine, NSE_EQ_1=100, NSE_EQ_2=200)
    done = take(share(3, "AAA", "INE001A01011"), share(1, "CCC", "INE003A01016"), B)
    assert (done.reassigned, done.moved) == (("NSE_EQ:1",), 1)
    assert closes(engine) == {"NSE_EQ:2": 200, "NSE_EQ:3": 100}
    assert instruments.fetch_names(engine)["NSE_EQ", "AAA"] == "NSE_EQ:3"


def test_a_chain_of_ids_ends_with_each_history_at_its_share(engine: Engine, take: Take) -> None:
    take(A, B)
    keep(engine, NSE_EQ_1=100, NSE_EQ_2=200)
    take(share(3, "AAA", "INE001A01011"), share(1, "BBB", "INE002A01018"), share(2, "CCC", "INE003A01016"))
    assert closes(engine) == {"NSE_EQ:1": 200, "NSE_EQ:3": 100}


def test_of_shares_that_swapped_ids_no_history_is_better_than_the_other_ones(
    engine: Engine, take: Take
) -> None:
    take(A, B)
    keep(engine, NSE_EQ_1=100, NSE_EQ_2=200)
    take(share(1, "BBB", "INE002A01018"), share(2, "AAA", "INE001A01011"))
    assert closes(engine) == {}


def test_a_rename_keeps_everything_of_share_and_contracts(engine: Engine, take: Take) -> None:
    take(future(60, "ZOMATO"), ZOMATO)
    keep(engine, NSE_EQ_5097=100, NSE_FNO_60=101)
    assert take(future(60, "ETERNAL"), ETERNAL).reassigned == ()
    assert closes(engine) == {"NSE_EQ:5097": 100, "NSE_FNO:60": 101}


def test_an_import_that_ended_in_between_is_completed_by_the_next(
    engine: Engine,
    take: Take,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(A, CALL)
    keep(engine, NSE_FNO_45000=100)
    with monkeypatch.context() as patch:
        patch.setattr(master_import.relistings, "follow", _killed)
        with pytest.raises(KeyboardInterrupt):
            take(A, PUT)
    assert take(A, PUT).reassigned == ("NSE_FNO:45000",)
    assert closes(engine) == {}


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def short(id_: int, symbol: str, series: str = "EQ") -> str:
    return f"NSE,E,{id_},EQUITY,{symbol},1,{symbol},,,,5,ES,{series},{symbol} LTD\n"


def test_a_compact_master_tells_an_id_given_to_another_share_by_where_the_old_one_is(
    engine: Engine, take: Take, tmp_path: Path
) -> None:
    take(A, B)
    keep(engine, NSE_EQ_1=100, NSE_EQ_2=200)
    file = tmp_path / "compact.csv"
    file.write_text(COMPACT + short(1, "ZZZ") + short(2, "BBB") + short(3, "AAA", "BE"))
    done = import_from(engine, str(file))
    assert (done.reassigned, done.moved) == (("NSE_EQ:1",), 1)
    assert closes(engine) == {"NSE_EQ:2": 200, "NSE_EQ:3": 100}
    isins = {each.symbol: each.isin for each in instruments.fetch(engine, "NSE_EQ")}
    assert isins == {"ZZZ": "", "BBB": "INE002A01018", "AAA": "INE001A01011"}


def test_a_rename_in_a_compact_master_is_no_reassignment(engine: Engine, take: Take, tmp_path: Path) -> None:
    take(A, B)
    keep(engine, NSE_EQ_1=100)
    file = tmp_path / "compact.csv"
    file.write_text(COMPACT + short(1, "ZZZ") + short(2, "BBB"))
    assert import_from(engine, str(file)).reassigned == ()
    assert closes(engine) == {"NSE_EQ:1": 100}


def test_another_share_does_not_take_over_the_sector_of_its_id(engine: Engine, take: Take) -> None:
    take(A, B)
    instruments.set_sectors(engine, [("NSE_EQ", 1, "Chemicals"), ("NSE_EQ", 2, "Financials")])
    take(share(1, "ZZZ", "INE009A01019"), share(2, "AAA", "INE001A01011"))
    assert {each.symbol: each.sector for each in instruments.fetch(engine, "NSE_EQ")} == {
        "ZZZ": "",
        "AAA": "Chemicals",
    }
