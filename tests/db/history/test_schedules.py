from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.db import universes
from ltp.db.engine import open_engine
from ltp.db.history import schedules
from ltp.errors import NotFoundError


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    universes.replace(engine, "nifty50", "NIFTY 50", "test", ["NSE_EQ:1333", "NSE_EQ:5"])
    universes.replace(engine, "list-two", "Two", "test", ["NSE_EQ:1333", "IDX_I:13"])
    return engine


def test_the_members_of_scheduled_lists_are_fetched_once(engine: Engine) -> None:
    schedules.change(engine, "nifty50", fetched=False)
    assert (schedules.scheduled(engine), schedules.keys(engine)) == (set(), [])
    schedules.change(engine, "nifty50", fetched=True)
    schedules.change(engine, "nifty50", fetched=True)
    assert schedules.keys(engine) == ["NSE_EQ:5", "NSE_EQ:1333"]
    schedules.change(engine, "list-two", fetched=True)
    assert schedules.scheduled(engine) == {"nifty50", "list-two"}
    assert schedules.keys(engine) == ["IDX_I:13", "NSE_EQ:5", "NSE_EQ:1333"]
    schedules.change(engine, "nifty50", fetched=False)
    assert schedules.keys(engine) == ["IDX_I:13", "NSE_EQ:1333"]


def test_a_list_that_is_imported_anew_stays_scheduled(engine: Engine) -> None:
    schedules.change(engine, "nifty50", fetched=True)
    universes.replace(engine, "nifty50", "NIFTY 50", "test", ["NSE_EQ:7"])
    assert schedules.keys(engine) == ["NSE_EQ:7"]


def test_an_unknown_list_is_refused(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="There is no list called 'nifty5'"):
        schedules.change(engine, "nifty5", fetched=True)
    assert schedules.scheduled(engine) == set()
