from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from ltp.core.criteria.spec import Spec, kind_of
from ltp.core.instrument import Instrument
from ltp.core.screener import Row
from ltp.core.watchlists.watchlist import kind_of as list_kind
from ltp.db import instruments, runs, saved_screens
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import screener_runs
from ltp.db.watchlists import lists
from ltp.errors import DatabaseError

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


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def current_id(engine: Engine, kind: str) -> int | None:
    with reading(engine) as connection:
        heads = runs.heads_in(connection).get(kind)
    return heads[0].id if heads else None


def test_a_run_comes_back_as_it_was_stored(engine: Engine) -> None:
    run_id = runs.insert_run(
        engine, "swing", [SECOND, FIRST], sample=True, source="swing.csv", notes="1 share left out"
    )
    run = runs.fetch_run(engine, run_id)
    assert run is not None
    assert run.rows == (FIRST, SECOND)
    assert (run.kind, run.sample, run.source, run.notes) == ("swing", True, "swing.csv", "1 share left out")
    assert timedelta(0) <= datetime.now(UTC) - run.created_at < timedelta(minutes=1)
    assert current_id(engine, "swing") == run_id
    assert current_id(engine, "longterm") is None
    assert runs.fetch_run(engine, run_id + 1) is None


def test_a_later_run_leaves_the_earlier_one_as_it_was(engine: Engine) -> None:
    earlier = runs.insert_run(engine, "swing", [FIRST], sample=False)
    before = runs.fetch_run(engine, earlier)
    later = runs.insert_run(engine, "swing", [SECOND], sample=False)
    assert current_id(engine, "swing") == later > earlier
    assert runs.fetch_run(engine, earlier) == before


@pytest.mark.parametrize(
    "twin", [SECOND._replace(rank=1), FIRST._replace(rank=2)], ids=["rank twice", "instrument twice"]
)
def test_a_run_is_stored_whole_or_not_at_all(engine: Engine, twin: Row) -> None:
    with pytest.raises(DatabaseError, match="UNIQUE"):
        runs.insert_run(engine, "swing", [FIRST, twin], sample=False)
    assert current_id(engine, "swing") is None
    assert instruments.fetch_all(engine) == []


def test_unknown_instruments_of_a_run_are_added_and_known_ones_stay(engine: Engine) -> None:
    known = Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank Limited", "INE040A01034", 1, 500)
    instruments.seed(engine, [known])
    runs.insert_run(engine, "swing", [FIRST, SECOND], sample=False)
    assert instruments.fetch_all(engine) == [known, Instrument("NSE_EQ", 11536, "TCS", "", "", 1, 0)]


def test_a_run_of_an_earlier_session_does_not_become_current(engine: Engine) -> None:
    def run(kind: str, day: date | None) -> int:
        return runs.insert_run(engine, kind, [FIRST], sample=False, as_of=day)

    monday = run("swing", date(2026, 11, 23))
    assert run("swing", date(2026, 11, 20)) > monday
    assert current_id(engine, "swing") == monday
    again = run("swing", date(2026, 11, 23))
    assert current_id(engine, "swing") == again
    imported = run("swing", None)
    assert current_id(engine, "swing") == imported
    with reading(engine) as connection:
        ids = [head.id for head in runs.heads_in(connection)["swing"]]
    assert ids == [imported, again, monday + 1, monday]


def test_keys_are_read_without_the_rows(engine: Engine) -> None:
    run_id = runs.insert_run(engine, "swing", [SECOND, FIRST], sample=False)
    assert runs.fetch_keys(engine, run_id) == [FIRST.key, SECOND.key]
    assert runs.fetch_keys(engine, run_id + 1) == []


def test_old_runs_are_deleted_except_those_of_saved_screens(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "KEPT_BUILT_IN", 3)
    monkeypatch.setattr(runs, "KEPT_CUSTOM", 2)
    saved, unsaved = Spec(("close > 1",)), Spec(("close > 2",))
    saved_screens.save(engine, "mine", "Mine", saved)
    of_list = list_kind(lists.create(engine, "Mine", source="test").slug)
    stored = {kind: [runs.insert_run(engine, kind, [FIRST], sample=False) for _ in range(5)]
              for kind in ("swing", kind_of(saved), kind_of(unsaved), of_list)}  # fmt: skip
    runs.prune(engine)
    with reading(engine) as connection:
        kept = {kind: sorted(head.id for head in heads) for kind, heads in runs.heads_in(connection).items()}
    assert kept == {"swing": stored["swing"][-3:], kind_of(saved): stored[kind_of(saved)][-2:],
                    kind_of(unsaved): stored[kind_of(unsaved)][-2:], of_list: stored[of_list][-2:]}  # fmt: skip
    assert runs.fetch_run(engine, stored["swing"][0]) is None
    with writing(engine) as connection:
        connection.execute(update(screener_runs).values(created_at=datetime.now(UTC) - timedelta(days=8)))
    runs.prune(engine)
    with reading(engine) as connection:
        assert set(runs.heads_in(connection)) == {"swing", kind_of(saved), of_list}
