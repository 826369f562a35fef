"""The tables as this version of the program knows them. `migrations/` says how a database gets there.

A test compares the two, so a column cannot be added in one place only.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant. SQLite keeps no time zone, so what comes back without one is given it here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    # Named constraints, because SQLite can only drop what has a name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

instruments = Table(
    "instruments",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("symbol", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("isin", String(12), nullable=False),
    Column("lot_size", Integer, nullable=False),
    Column("tick_size", BigInteger, nullable=False),  # 1/10,000 rupee, 0 when unknown
    Column("changed_at", Instant, nullable=False, index=True),  # what tells a cache that it is out of date
    Index(None, "symbol"),
)

screener_runs = Table(
    "screener_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sample", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Index(None, "kind", "id"),
    sqlite_autoincrement=True,  # an id is never given twice: runs are cached by it
)

screener_rows = Table(
    "screener_rows",
    metadata,
    Column("run_id", Integer, ForeignKey("screener_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("segment", String(16), nullable=False),
    Column("security_id", BigInteger, nullable=False),
    Column("symbol", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("sector", String(200), nullable=False),
    Column("score", Float),
    Column("setup", String(200), nullable=False),
    Column("entry", BigInteger),  # prices in 1/10,000 rupee
    Column("stop", BigInteger),
    Column("target", BigInteger),
    Column("why", String(200), nullable=False),
    UniqueConstraint("run_id", "segment", "security_id"),
)
