from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.db import instruments, screeners
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError

FIRST = Row("NSE_EQ:1333", 1, "HDFCBANK", "HDFC Bank", "Banks", 91.5, "Breakout", 16_503_500, 16_000_000, 18_000_000, "volume")
SECOND = Row("NSE_EQ:11536", 2, "TCS")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


@pytest.fixture
def statements(engine: Engine) -> list[str]:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen


def test_a_run_comes_back_as_it_was_stored(engine: Engine) -> None:
    run_id = screeners.insert_run(engine, "swing", [SECOND, FIRST], sample=True, source="swing.csv")
    run = screeners.fetch_run(engine, run_id)
    assert run is not None
    assert run.rows == (FIRST, SECOND)
    assert (run.kind, run.sample, run.source) == ("swing", True, "swing.csv")
    assert timedelta(0) <= datetime.now(UTC) - run.created_at < timedelta(minutes=1)
    assert screeners.latest_run_id(engine, "swing") == run_id
    assert screeners.latest_run_id(engine, "longterm") is None
    assert screeners.fetch_run(engine, run_id + 1) is None


def test_a_later_run_leaves_the_earlier_one_as_it_was(engine: Engine) -> None:
    earlier = screeners.insert_run(engine, "swing", [FIRST], sample=False)
    before = screeners.fetch_run(engine, earlier)
    later = screeners.insert_run(engine, "swing", [SECOND], sample=False)
    assert screeners.latest_run_id(engine, "swing") == later > earlier
    assert screeners.fetch_run(engine, earlier) == before


@pytest.mark.parametrize("twin", [SECOND._replace(rank=1), FIRST._replace(rank=2)], ids=["rank twice", "instrument twice"])
def test_a_run_is_stored_whole_or_not_at_all(engine: Engine, twin: Row) -> None:
    with pytest.raises(DatabaseError, match="UNIQUE"):
        screeners.insert_run(engine, "swing", [FIRST, twin], sample=False)
    assert screeners.latest_run_id(engine, "swing") is None
    assert instruments.fetch_all(engine) == []


def test_results_are_known_to_the_master_afterwards_without_renaming_what_it_knew(engine: Engine) -> None:
    known = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500)
    instruments.seed(engine, [known])
    screeners.insert_run(engine, "swing", [FIRST, SECOND], sample=False)
    assert instruments.fetch_all(engine) == [known, Instrument("NSE_EQ", 11536, "TCS", "", "", 1, 0)]


def test_a_warm_catalog_answers_without_sql(engine: Engine, statements: list[str]) -> None:
    screeners.insert_run(engine, "swing", [FIRST], sample=False)
    catalog = screeners.Catalog(engine)
    assert catalog.refresh()
    statements.clear()
    for _ in range(3):
        run, instrument = catalog.current("swing"), catalog.instrument("NSE_EQ:1333")
    assert run is not None
    assert run.rows == (FIRST,)
    assert instrument is not None
    assert instrument.symbol == "HDFCBANK"
    assert (catalog.current("longterm"), catalog.instrument("NSE_EQ:1")) == (None, None)
    assert statements == []


def test_a_refresh_without_news_reads_no_rows_again(engine: Engine, statements: list[str]) -> None:
    screeners.insert_run(engine, "swing", [FIRST], sample=False)
    catalog = screeners.Catalog(engine)
    catalog.refresh()
    before = catalog.current("swing")
    statements.clear()
    catalog.refresh()
    assert catalog.current("swing") is before
    assert not [statement for statement in statements if "screener_rows" in statement or "symbol" in statement]


def test_a_refresh_finds_new_runs_and_renamed_instruments(engine: Engine) -> None:
    catalog = screeners.Catalog(engine)
    catalog.refresh()
    assert catalog.current("swing") is None
    screeners.insert_run(engine, "swing", [FIRST], sample=False)
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "Renamed", "", 1, 500)])
    catalog.refresh()
    run, instrument = catalog.current("swing"), catalog.instrument("NSE_EQ:1333")
    assert run is not None
    assert instrument is not None
    assert (run.rows, instrument.name) == ((FIRST,), "Renamed")


def test_a_locked_database_leaves_the_last_known_and_is_logged_once(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = screeners.insert_run(engine, "swing", [FIRST], sample=False)
    catalog = screeners.Catalog(engine)
    catalog.refresh()
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert not catalog.refresh()
    assert not catalog.refresh()
    run = catalog.current("swing")
    assert run is not None
    assert run.id == run_id
    assert [record.message for record in caplog.records] == [
        "The database cannot be read: database is locked. Pages go on with what was last read."
    ]
    holder.close()
    assert catalog.refresh()


def test_the_catalog_follows_by_itself(engine: Engine, monkeypatch: pytest.MonkeyPatch, wait_for: Callable[..., Any]) -> None:
    monkeypatch.setattr(screeners, "_REFRESH_EVERY_S", 0.02)
    catalog = screeners.Catalog(engine)
    catalog.start()
    screeners.insert_run(engine, "swing", [FIRST], sample=False)
    wait_for(lambda: catalog.current("swing"))
