from __future__ import annotations

from pathlib import Path

import pytest

from ltp.batch.default_universe import OFF, default
from ltp.db import universes
from ltp.db.engine import open_engine
from ltp.errors import NotFoundError


def test_the_setting_else_the_largest_list_else_every_share(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    with pytest.raises(NotFoundError):
        default(engine)
    for name in ("all", "nifty50", "nifty200", "nifty500"):
        universes.replace(engine, name, name, "test", [])
        assert default(engine) == default(engine, OFF) == name
    assert default(engine, "nifty50") == "nifty50"
    with pytest.raises(NotFoundError, match="no universe called 'fno'"):
        default(engine, "fno")
