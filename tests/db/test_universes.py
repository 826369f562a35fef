from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.db import universes
from ltp.db.engine import open_engine, reading
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


def test_changed_at_rises_with_every_replacement(engine: Engine) -> None:
    def newest() -> object:
        with reading(engine) as connection:
            return universes.changed_at(connection)

    assert newest() is None
    universes.replace(engine, "fno", "F&O stocks", "", ["NSE_EQ:25"])
    first = newest()
    universes.replace(engine, "fno", "F&O stocks", "", ["NSE_EQ:25"])
    assert newest() != first


def test_more_members_than_one_statement_holds(engine: Engine) -> None:
    assert (
        universes.replace(engine, "all", "All", "", (f"NSE_EQ:{id_}" for id_ in range(1, 12_002))) == 12_001
    )
    assert len(universes.keys(engine, "all")) == 12_001
