from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ltp.core.criteria.spec import Spec, kind_of
from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.core.subscriptions.table import Reason
from ltp.db import instruments, saved_screens
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.db.runs import fetch_keys, insert_run
from ltp.errors import DatabaseError
from ltp.worker.known_instruments import KnownInstruments


def test_results_of_every_screener_best_first_and_changes_are_seen(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)])
    now = [0.0]
    known = KnownInstruments(Catalog(engine), partial(fetch_keys, engine), dict, lambda: now[0])
    assert not known.knows("NSE_EQ:1333")
    known.refresh()
    assert known.knows("NSE_EQ:1333")
    assert (known.tick_size("NSE_EQ:1333"), known.tick_size("NSE_EQ:1")) == (500, 0)
    assert known.results() == []
    insert_run(engine, "swing", [Row("NSE_EQ:1", 1, "A"), Row("NSE_EQ:2", 2, "B")], sample=False)
    insert_run(engine, "longterm", [Row("NSE_EQ:3", 1, "C"), Row("NSE_EQ:1", 2, "A")], sample=False)
    known.refresh()
    assert known.results() == []
    now[0] += 2
    known.refresh()
    assert known.results() == ["NSE_EQ:1", "NSE_EQ:3", "NSE_EQ:2"]
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
    known = KnownInstruments(Catalog(engine), keys_of, dict, lambda: now[0])

    def results() -> list[str]:
        now[0] += 2
        known.refresh()
        return known.results()

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


def test_the_results_of_each_screen_are_told_apart_also_under_several_names(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    known = KnownInstruments(Catalog(engine), partial(fetch_keys, engine), dict, lambda: 0.0)
    spec = Spec(("rsi14 > 60",), "nifty100", 125_000, 10_000_000)
    saved_screens.save(engine, "mine", "Mine", spec)
    saved_screens.save(engine, "also", "Also mine", spec)
    insert_run(engine, "swing", [Row("NSE_EQ:1", 1, "A")], sample=False)
    insert_run(engine, kind_of(spec), [Row("NSE_EQ:2", 1, "B")], sample=False)
    insert_run(engine, "custom-1", [Row("NSE_EQ:3", 1, "C")], sample=False)
    insert_run(engine, "list-1", [Row("NSE_EQ:4", 1, "D")], sample=False)  # a watchlist's own reason names it
    known.refresh()
    assert sorted(known.results_by_screen()) == [
        (Reason("custom"), ["NSE_EQ:3"]),
        (Reason("saved", "also", "Also mine"), ["NSE_EQ:2"]),
        (Reason("saved", "mine", "Mine"), ["NSE_EQ:2"]),
        (Reason("screen", "swing"), ["NSE_EQ:1"]),
    ]
    assert known.universes() is known.universes()
    engine.dispose()


def test_reassigned_keys_are_read_when_a_master_was_stored(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    hdfc = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)
    instruments.seed(engine, [hdfc])
    now, away = [0.0], True
    given = {"NSE_EQ:1333": datetime(2026, 11, 23, 4, 30, tzinfo=UTC)}

    def fetch_reassigned() -> dict[str, datetime]:
        if away:
            raise DatabaseError("locked")
        return given

    known = KnownInstruments(Catalog(engine), partial(fetch_keys, engine), fetch_reassigned, lambda: now[0])
    known.refresh()
    assert known.reassigned == {}
    away, now[0] = False, 2.0
    known.refresh()
    assert known.reassigned == {"NSE_EQ:1333": 1_795_408_200_000_000}
    engine.dispose()
