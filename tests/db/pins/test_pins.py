from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.core.instrument import Instrument
from ltp.db import instruments, reassignments
from ltp.db.engine import open_engine, writing
from ltp.db.pins import pins
from ltp.db.rekey import move
from ltp.errors import InputError, NotFoundError

HDFC, TCS, NIFTY = "NSE_EQ:1333", "NSE_EQ:11536", "IDX_I:13"


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: Any, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    engine = open_engine(request.getfixturevalue("postgresql").url())
    pins.unpin(engine, [pin.key for pin in pins.fetch(engine)])
    return engine


def test_a_pin_is_found_changed_and_taken_out(engine: Engine) -> None:
    pins.pin(engine, [HDFC, NIFTY], "full", "<b>mine</b>")
    first = pins.find(engine, HDFC)
    assert first is not None
    assert (first.mode, first.note) == ("full", "<b>mine</b>")
    pins.pin(engine, [HDFC], "ticker", "")
    assert pins.find(engine, HDFC) == first._replace(mode="ticker", note="")
    assert {pin.key for pin in pins.fetch(engine)} == {NIFTY, HDFC}
    assert pins.find(engine, TCS) is None
    pins.unpin(engine, [HDFC])
    assert [pin.key for pin in pins.fetch(engine)] == [NIFTY]


def test_each_change_has_another_version(engine: Engine) -> None:
    seen = [pins.version(engine)]
    for change in (
        lambda: pins.pin(engine, [HDFC], "default", ""),
        lambda: pins.pin(engine, [HDFC], "full", ""),
        lambda: pins.pin(engine, [TCS], "default", ""),
        lambda: pins.unpin(engine, [TCS]),
        lambda: pins.pin(engine, [NIFTY], "default", ""),
        lambda: pins.unpin(engine, [HDFC]),
    ):
        change()
        seen.append(pins.version(engine))
    assert all(before != after for before, after in pairwise(seen))
    assert seen[4] == seen[2]  # the same pins again


def test_what_is_not_pinned_cannot_be_unpinned_and_then_nothing_is(engine: Engine) -> None:
    pins.pin(engine, [HDFC], "default", "")
    with pytest.raises(NotFoundError, match="NSE_EQ:11536"):
        pins.unpin(engine, [HDFC, TCS])
    assert [pin.key for pin in pins.fetch(engine)] == [HDFC]


def test_past_the_limit_none_is_pinned_and_changes_are_possible(engine: Engine) -> None:
    pins.pin(engine, [f"NSE_EQ:{number}" for number in range(1, 500)], "default", "")
    with pytest.raises(InputError, match="at most 500 instruments are pinned, and 499 are"):
        pins.pin(engine, ["NSE_EQ:500", "NSE_EQ:501"], "default", "")
    pins.pin(engine, ["NSE_EQ:500"], "default", "")
    pins.pin(engine, ["NSE_EQ:1"], "full", "")
    assert len(pins.fetch(engine)) == 500


def test_a_pin_moves_with_its_share_and_ends_with_its_key(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    instruments.seed(engine, [Instrument("NSE_EQ", 1333, "HDFCBANK", "HDFC Bank", "", 1, 500)])
    pins.pin(engine, [HDFC], "full", "mine")
    with writing(engine) as connection:
        move(connection, HDFC, TCS)
    assert [(pin.key, pin.mode) for pin in pins.fetch(engine)] == [(TCS, "full")]
    pins.pin(engine, [HDFC], "ticker", "")
    with writing(engine) as connection:
        move(connection, HDFC, TCS)
    assert [(pin.key, pin.mode) for pin in pins.fetch(engine)] == [(TCS, "full")]
    with writing(engine) as connection:
        reassignments.note(connection, [TCS])
        reassignments.clear(connection, [TCS])
    assert pins.fetch(engine) == []
