from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select

from ltp.db import on_conflict
from ltp.db.engine import open_engine, reading, writing
from ltp.db.schema import kept_sessions as table


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_row_that_is_there_stays_once(kind: str, request: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ltp.sqlite3'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgresql").url()
    engine = open_engine(url)

    def insert(connection: Connection, *days: int) -> None:
        statement = on_conflict.insert(connection, table).on_conflict_do_nothing()
        connection.execute(statement, [{"day": day} for day in days])

    with writing(engine) as connection:
        connection.execute(delete(table))  # tests share the server
        insert(connection, 7, 8)
        insert(connection, 8, 9)
    with reading(engine) as connection:
        assert sorted(connection.execute(select(table.c.day)).scalars()) == [7, 8, 9]
    with writing(engine) as connection:
        connection.execute(delete(table))
