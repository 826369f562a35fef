"""Bars of a captured file in SQL: the same bytes however often, and nothing better replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from ltp.batch.minutes import rebuild as rebuild_module
from ltp.batch.minutes.rebuild import Rebuilt, rebuild, refuse_mixing
from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.bars.builder import ClosedBar
from ltp.db import minute_bars
from ltp.db.engine import open_engine, reading
from ltp.db.schema import minute_bars as table
from ltp.errors import DatabaseError
from ltp.feed.capture.bars import bars
from ltp.feed.capture.file import CaptureFile
from tests.captured import KEYS, OPEN, captured

HDFC, TCS = KEYS


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return captured(tmp_path / "frames", 5 + 1_000, breaks_at=70)


def run(path: Path, engine: Engine | None) -> Rebuilt:
    with CaptureFile(path) as file:
        return rebuild(bars(file, Counter(), is_open=lambda *_: True, tick_size=lambda _: 5), engine)


def stored(engine: Engine) -> Sequence[object]:
    with reading(engine) as connection:
        return connection.execute(select(table).order_by(*table.primary_key.columns)).all()


@pytest.mark.parametrize("at_once", [5, 50_000])
def test_the_same_file_gives_the_same_blocks_however_often(
    path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(rebuild_module, "_AT_ONCE", at_once)
    counted = run(path, None)
    assert stored(engine) == []
    # The five seconds before the open are in no session, so they are a bar of the minute before it.
    assert counted[:3] == (2, 36, 0)
    done = run(path, engine)
    first = stored(engine)
    assert len(first) == 6
    assert run(path, engine) == done == counted
    assert stored(engine) == first
    bars_of_a_minute = minute_bars.fetch(engine, HDFC, OPEN, OPEN + 60)
    assert bars_of_a_minute == [Bar(OPEN, 1000_0000, 1006_0000, 1000_0000, 1003_0000, 600)]


def test_the_digest_tells_files_apart(path: Path, tmp_path: Path) -> None:
    other = captured(tmp_path / "other", 5 + 1_000, breaks_at=130)
    assert run(path, None).digest != run(other, None).digest
    assert run(path, None).bars == run(other, None).bars


def test_a_bar_of_the_broker_stays(path: Path, engine: Engine) -> None:
    better = Bar(OPEN + 60, 1, 2, 1, 2, 9, sources=BROKER)
    minute_bars.upsert(engine, {HDFC: [better, Bar(OPEN + 120, 1, 2, 1, 2, 9, marks=PARTIAL)]})
    assert run(path, engine).kept == 1
    assert run(path, engine).kept == 1
    one, two = minute_bars.fetch(engine, HDFC, OPEN + 60, OPEN + 180)
    assert one == better
    assert two == Bar(OPEN + 120, 1001_0000, 1006_0000, 1000_0000, 1004_0000, 600)
    assert minute_bars.fetch(engine, TCS, OPEN + 60, OPEN + 120)[0].volume == 1180


def test_a_bar_that_comes_again_replaces_the_one_before(engine: Engine) -> None:
    early, late = Bar(OPEN, 1, 1, 1, 1, 5), Bar(OPEN, 1, 3, 1, 2, 8)
    once = rebuild([[ClosedBar(HDFC, late)]], None)
    assert rebuild([[ClosedBar(HDFC, early)], [], [ClosedBar(HDFC, late)]], engine) == once
    assert minute_bars.fetch(engine, HDFC, OPEN, OPEN + 60) == [late]


def test_simulated_and_real_bars_are_not_mixed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for origin, refused in (("real", True), ("simulated", False), ("nothing", None)):
        monkeypatch.setattr(rebuild_module.candle_source, "origin", lambda _, origin=origin: origin)
        for simulated in (True, False):
            if refused is simulated:
                with pytest.raises(DatabaseError, match="imulated"):
                    refuse_mixing(engine, simulated=simulated)
            else:
                refuse_mixing(engine, simulated=simulated)
