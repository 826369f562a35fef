"""The insert that has ON CONFLICT, of the database in use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> Any:
    """Return an insert with `on_conflict_do_update` and `on_conflict_do_nothing`; its `excluded` has the new values.

    Both dialects spell it the same way; the generic insert has none.
    """
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
