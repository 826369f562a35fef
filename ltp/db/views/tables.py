"""The table of this room, beside those of `db.schema`. `db/migrations/` upgrades a database to both."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from ltp.db.schema import Instant, metadata

views = Table(
    "views",
    metadata,
    Column("slug", String(64), primary_key=True),  # in addresses; a new name leaves it
    Column("name", String(80), nullable=False),
    Column("query", Text, nullable=False),  # parameters of an address
    Column("tab", String(16), nullable=False),
    Column("client", String(64), nullable=False),  # of the request that saved it, for the quota
    Column("created_at", Instant, nullable=False),
)
