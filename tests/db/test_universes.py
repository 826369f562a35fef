from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, delete

from ltp.db import universes
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import universes as table
from ltp.errors import DatabaseError, NotFoundError


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def test_members_are_replaced_and_counted_once(engine: Engine) -> None:
    assert (
        universes.replace(engine, "nifty50", "NIFTY 50", "a.csv", ["NSE_EQ:25", "NSE_EQ:1333", "NSE_EQ:25"])
        == 2
    )
    assert universes.keys(engine, "nifty50") == ["NSE_EQ:25", "NSE_EQ:1333"]
    assert universes.replace(engine, "nifty50", "NIFTY 50", "b.csv", ["NSE_EQ:7"]) == 1
    assert universes.keys(engine, "nifty50") == ["NSE_EQ:7"]
    universe = universes.fetch(engine)["nifty50"]
    assert (universe.title, universe.source, universe.size) == ("NIFTY 50", "b.csv", 1)


def test_they_are_listed_smallest_index_first_and_watchlists_last(engine: Engine) -> None:
    for name in ("list-b", "all", "nifty500", "fno", "list-a", "nifty50"):
        universes.replace(engine, name, name, "", ["NSE_EQ:25"])
    assert list(universes.fetch(engine)) == ["nifty50", "nifty500", "fno", "all", "list-a", "list-b"]


def test_an_empty_universe_is_one_and_an_unknown_one_is_an_error(engine: Engine) -> None:
    universes.replace(engine, "fno", "F&O stocks", "", [])
    assert universes.keys(engine, "fno") == []
    assert universes.fetch(engine)["fno"].size == 0
    with pytest.raises(NotFoundError, match="universe called 'nope'"):
        universes.keys(engine, "nope")


def test_a_failed_replacement_keeps_the_old_members(engine: Engine) -> None:
    universes.replace(engine, "fno", "F&O stocks", "", ["NSE_EQ:25"])
    with pytest.raises(DatabaseError):
        universes.replace(engine, "fno", None, "", ["NSE_EQ:7"])  # type: ignore[arg-type]
    assert universes.keys(engine, "fno") == ["NSE_EQ:25"]


def test_the_version_changes_with_every_replacement_and_deletion(engine: Engine) -> None:
    def version() -> object:
        with reading(engine) as connection:
            return universes.version_in(connection)

    assert version() == (0, None)
    seen = []
    for name in ("list-first", "fno", "fno"):
        universes.replace(engine, name, "Title", "", ["NSE_EQ:25"])
        seen.append(version())
    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.name == "list-first"))  # not the newest one
    seen.append(version())
    assert len(set(seen)) == 4


def test_more_members_than_one_statement_holds(engine: Engine) -> None:
    assert (
        universes.replace(engine, "all", "All", "", (f"NSE_EQ:{id_}" for id_ in range(1, 12_002))) == 12_001
    )
    assert len(universes.keys(engine, "all")) == 12_001
