from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, update

from ltp.db.engine import open_engine, writing
from ltp.db.schema import candle_source, five_minute_bars, kept_sessions, minute_bars


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: Any, tmp_path: Path) -> Engine:
    """A database without bars, of each kind."""
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        for table in (minute_bars, five_minute_bars, kept_sessions):  # tests share the server
            connection.execute(delete(table))
        connection.execute(update(candle_source).values(simulated=False))
    return server
