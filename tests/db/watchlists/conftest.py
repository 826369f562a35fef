from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from ltp.db.engine import open_engine, writing
from ltp.db.schema import constituents, instruments, universes
from ltp.db.watchlists.tables import watchlist_changes, watchlist_lines, watchlists


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: Any, tmp_path: Path) -> Engine:
    """A database without lists, of each kind."""
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        every = (watchlist_changes, watchlist_lines, watchlists, constituents, universes, instruments)
        for table in every:  # tests share the server
            connection.execute(delete(table))
    return server
