from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from ltp.core.criteria.spec import Spec, kind_of
from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.db import catalog as catalog_module
from ltp.db import evaluations, instruments, runs, saved_screens, universes
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.errors import LimitError

FIRST = Row(
    "NSE_EQ:1333",
    1,
    "HDFCBANK",
    "HDFC Bank",
    "Banks",
    91.5,
    "Breakout",
    16_503_500,
    16_000_000,
    18_000_000,
    "volume",
)
SECOND = Row("NSE_EQ:11536", 2, "TCS")
SPEC = Spec(("close > 1",))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


@pytest.fixture
def statements(engine: Engine) -> list[str]:
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    return seen


def test_a_warm_catalog_answers_without_sql(engine: Engine, statements: list[str]) -> None:
    runs.insert_run(engine, "swing", [FIRST], sample=False)
    catalog = Catalog(engine)
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


def test_a_refresh_without_changes_reads_no_rows_again(engine: Engine, statements: list[str]) -> None:
    runs.insert_run(engine, "swing", [FIRST], sample=False)
    catalog = Catalog(engine)
    catalog.refresh()
    before = catalog.current("swing")
    statements.clear()
    catalog.refresh()
    assert catalog.current("swing") is before
    assert statements
    assert not [
        statement for statement in statements if "screener_rows" in statement or "symbol" in statement
    ]


def test_a_refresh_finds_new_runs_and_renamed_instruments(engine: Engine) -> None:
    catalog = Catalog(engine)
    catalog.refresh()
    assert catalog.current("swing") is None
    runs.insert_run(engine, "swing", [FIRST], sample=False)
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "Renamed", "", 1, 500)])
    catalog.refresh()
    run, instrument = catalog.current("swing"), catalog.instrument("NSE_EQ:1333")
    assert run is not None
    assert instrument is not None
    assert (run.rows, instrument.name) == ((FIRST,), "Renamed")


def test_a_locked_database_leaves_the_last_known_and_is_logged_once(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = runs.insert_run(engine, "swing", [FIRST], sample=False)
    catalog = Catalog(engine)
    catalog.refresh()
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert not catalog.refresh()
    assert not catalog.refresh()
    run = catalog.current("swing")
    assert run is not None
    assert run.id == run_id
    assert [record.message for record in caplog.records] == [
        "The database cannot be read: database is locked. Pages show the data of the last read."
    ]
    holder.close()
    assert catalog.refresh()


def test_the_catalog_follows_by_itself(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, wait_for: Callable[..., Any]
) -> None:
    monkeypatch.setattr(catalog_module, "REFRESH_EVERY_S", 0.02)
    catalog = Catalog(engine)
    catalog.start()
    runs.insert_run(engine, "swing", [FIRST], sample=False)
    wait_for(lambda: catalog.current("swing"))


def test_heads_of_all_kinds_are_cached_and_rows_of_the_built_in_screeners(engine: Engine) -> None:
    catalog = Catalog(engine)
    swing = runs.insert_run(
        engine, "swing", [FIRST], sample=False, as_of=date(2026, 11, 20), universe="nifty50"
    )
    custom = runs.insert_run(engine, kind_of(SPEC), [FIRST, SECOND], sample=False)
    later = runs.insert_run(engine, "swing", [SECOND], sample=False, as_of=date(2026, 11, 23))
    assert (catalog.current_id("swing"), catalog.runs("swing"), catalog.kinds()) == (None, (), ())
    catalog.refresh()
    assert catalog.kinds() == ("swing", kind_of(SPEC))
    assert (catalog.current_id("swing"), catalog.current_id(kind_of(SPEC))) == (later, custom)
    assert [(head.id, head.as_of, head.universe) for head in catalog.runs("swing")] == [
        (later, date(2026, 11, 23), ""), (swing, date(2026, 11, 20), "nifty50"),
    ]  # fmt: skip
    assert catalog.current(kind_of(SPEC)) is None
    run = catalog.current("swing")
    assert run is not None
    assert run.rows == (SECOND,)


def test_saved_screens_evaluations_and_universes_are_followed(engine: Engine, statements: list[str]) -> None:
    catalog = Catalog(engine)
    catalog.refresh()
    assert (list(catalog.screens()), catalog.screen("mine"), catalog.evaluation("swing")) == ([], None, None)
    assert list(catalog.universes()) == []
    saved = saved_screens.save(engine, "mine", "Mine", SPEC)
    queued = evaluations.enqueue(engine, "swing")
    universes.replace(engine, "nifty50", "NIFTY 50", "test", ["NSE_EQ:1333"])
    catalog.refresh()
    statements.clear()
    assert (list(catalog.screens()), catalog.screen("mine")) == ([saved], saved)
    evaluation = catalog.evaluation("swing")
    assert evaluation is not None
    assert (evaluation.id, evaluation.open) == (queued, True)
    assert catalog.universes()["nifty50"].size == 1
    assert statements == []
    evaluations.claim(engine, queued)
    evaluations.beat(engine, queued, done=3, total=9, found=1, per_s=1.5)
    saved_screens.remove(engine, "mine")
    catalog.refresh()
    evaluation = catalog.evaluation("swing")
    assert evaluation is not None
    assert (evaluation.state, evaluation.done) == ("running", 3)
    assert catalog.screen("mine") is None


def test_the_catalog_reads_more_often_during_an_evaluation(engine: Engine) -> None:
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)])
    catalog = Catalog(engine)
    assert catalog.refresh_every_s() == catalog_module.FIRST_READ_EVERY_S
    catalog.refresh()
    assert catalog.refresh_every_s() == catalog_module.REFRESH_EVERY_S
    queued = evaluations.enqueue(engine, "swing")
    catalog.refresh()
    assert catalog.refresh_every_s() == catalog_module.EVALUATING_EVERY_S
    evaluations.fail(engine, queued, "x")
    catalog.refresh()
    assert catalog.refresh_every_s() == catalog_module.REFRESH_EVERY_S


def test_an_import_is_read_once_it_has_ended(engine: Engine) -> None:
    first, second = Instrument("NSE_EQ", 1, "A", "", "", 1, 5), Instrument("NSE_EQ", 2, "B", "", "", 1, 5)
    catalog = Catalog(engine)
    instruments.seed(engine, [first])
    catalog.refresh()
    assert catalog.instrument("NSE_EQ:1") == first, "an empty catalog waits for nothing"
    instruments.seed(engine, [second])
    catalog.refresh()
    assert catalog.instrument("NSE_EQ:2") is None
    instruments.seed(engine, [first._replace(name="renamed")])
    catalog.refresh()
    assert catalog.instrument("NSE_EQ:2") is None
    catalog.refresh()
    assert catalog.instrument("NSE_EQ:2") == second
    assert catalog.find("NSE_EQ", "a") == first._replace(name="renamed")
    assert [each.symbol for each in catalog.search("b", 9).instruments] == ["B"]


def test_a_search_knows_former_names_and_waits_a_second_for_others_at_most(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog(engine)
    share = Instrument("NSE_EQ", 9, "OLD", "", "", 1, 5)
    instruments.seed(engine, [share])
    instruments.seed(engine, [share._replace(symbol="NEW")])
    catalog.refresh()
    assert catalog.search("old", 9).former == {"NSE_EQ:9": ["OLD"]}
    monkeypatch.setattr(catalog_module, "_SEARCH_WAIT_S", 0.01)
    with catalog._searching, pytest.raises(LimitError, match="The limit of 1 searches at a time"):
        catalog.search("old", 9)
    assert catalog.search("old", 9).instruments


def test_the_plans_of_the_current_runs_are_followed_where_pages_are_shown(
    engine: Engine, statements: list[str]
) -> None:
    run_id = runs.insert_run(engine, "swing", [FIRST], sample=False, as_of=date(2026, 11, 20))
    shown, other = Catalog(engine), Catalog(engine, follow_plans=False)
    assert shown.refresh()
    assert shown.plans.of(run_id)[FIRST.key].stage == "waiting"
    statements.clear()
    assert other.refresh()
    assert other.plans.of(run_id) == {}
    assert statements
    assert not [statement for statement in statements if "candle" in statement]
