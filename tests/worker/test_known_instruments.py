from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.db import instruments
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.db.runs import fetch_keys, insert_run
from ltp.errors import DatabaseError
from ltp.worker.known_instruments import KnownInstruments


def test_results_of_every_screener_best_first_and_changes_are_seen(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)])
    now = [0.0]
    master = KnownInstruments(Catalog(engine), partial(fetch_keys, engine), dict, lambda: now[0])
    assert not master.knows("NSE_EQ:1333")
    master.refresh()
    assert master.knows("NSE_EQ:1333")
    assert (master.tick_size("NSE_EQ:1333"), master.tick_size("NSE_EQ:1")) == (500, 0)
    assert master.results() == []
    insert_run(engine, "swing", [Row("NSE_EQ:1", 1, "A"), Row("NSE_EQ:2", 2, "B")], sample=False)
    insert_run(engine, "longterm", [Row("NSE_EQ:3", 1, "C"), Row("NSE_EQ:1", 2, "A")], sample=False)
    master.refresh()
    assert master.results() == []
    now[0] += 2
    master.refresh()
    assert master.results() == ["NSE_EQ:1", "NSE_EQ:3", "NSE_EQ:2"]
    engine.dispose()


def test_custom_screens_follow_the_built_in_ones_and_their_keys_are_read_once(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    read: list[int] = []

    def keys_of(run_id: int) -> list[str]:
        read.append(run_id)
        if away:
            raise DatabaseError("locked")
        return fetch_keys(engine, run_id)

    now, away = [0.0], False
    master = KnownInstruments(Catalog(engine), keys_of, dict, lambda: now[0])

    def results() -> list[str]:
        now[0] += 2
        master.refresh()
        return master.results()

    old = insert_run(engine, "custom-1", [Row("NSE_EQ:9", 1, "I"), Row("NSE_EQ:1", 2, "A")], sample=False)
    insert_run(engine, "swing", [Row("NSE_EQ:1", 1, "A"), Row("NSE_EQ:2", 2, "B")], sample=False)
    assert results() == results() == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:9"]
    assert read == [old]
    away = True
    new = insert_run(engine, "custom-2", [Row("NSE_EQ:8", 1, "H")], sample=False)
    assert results() == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:9"]
    away = False
    assert results() == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:8", "NSE_EQ:9"]
    assert read == [old, new, new]
    engine.dispose()


def test_keys_that_were_given_to_others_are_read_when_a_master_was_stored(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    hdfc = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)
    instruments.seed(engine, [hdfc])
    now, away = [0.0], True
    given = {"NSE_EQ:1333": datetime(2026, 11, 23, 4, 30, tzinfo=UTC)}

    def fetch_reassigned() -> dict[str, datetime]:
        if away:
            raise DatabaseError("locked")
        return given

    master = KnownInstruments(Catalog(engine), partial(fetch_keys, engine), fetch_reassigned, lambda: now[0])
    master.refresh()
    assert master.reassigned == {}
    away, now[0] = False, 2.0
    master.refresh()
    assert master.reassigned == {"NSE_EQ:1333": 1_795_408_200_000_000}
    engine.dispose()
