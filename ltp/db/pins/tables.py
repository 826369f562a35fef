"""The table of this room, beside those of `db.schema`. `db/migrations/` upgrades a database to both."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, UniqueConstraint

from ltp.db.schema import Instant, metadata

pins = Table(
    "pins",
    metadata,
    Column("id", Integer, primary_key=True),  # rises with each change of any pin
    Column("segment", String(16), nullable=False),
    Column("security_id", BigInteger, nullable=False),
    Column("mode", String(8), nullable=False),  # default, ticker, quote, full
    Column("note", String(200), nullable=False),
    Column("pinned_at", Instant, nullable=False),
    UniqueConstraint("segment", "security_id"),
    sqlite_autoincrement=True,
)
