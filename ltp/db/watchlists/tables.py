"""The tables of watchlists. Their members are also in `constituents` of `db.schema`, as the universe list-SLUG."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from ltp.db.schema import Instant, metadata

watchlists = Table(
    "watchlists",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("place", Integer, nullable=False),  # among the lists
    Column("version", Integer, nullable=False),  # every change raises it
    Column("size", Integer, nullable=False),  # number of instruments
    Column("changed_at", Instant, nullable=False),
    Column("members_at", Instant, nullable=False),  # when an instrument last came or went
    Column("deleted_at", Instant),  # a deleted list has no universe, and can be restored for some time
)

# The lines of a list. A section has the segment SECTION and a number of its own.
watchlist_lines = Table(
    "watchlist_lines",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, nullable=False),  # in the list; there may be gaps
    Column("title", String(200), nullable=False),
    Column("note", String(200), nullable=False),
    Column("flag", String(16), nullable=False),
)

# The latest changes of each list, in words, for an editor whose page shows an older version.
watchlist_changes = Table(
    "watchlist_changes",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("words", Text, nullable=False),
)
