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
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
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
    Column("series", String(8), nullable=False, server_default=""),  # EQ, BE, ...; empty where there is none
    Column("sector", String(200), nullable=False, server_default=""),
    Index(None, "symbol"),
)

# What an instrument was called before: an old file, or a file of another source, still finds it.
instrument_names = Table(
    "instrument_names",
    metadata,
    Column("name", String(200), primary_key=True),  # a symbol, or an ISIN
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

# Keys that came to mean another instrument, since when; `cleared`: what was kept of the one before is gone.
reassignments = Table(
    "reassignments",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("cleared", Boolean, nullable=False),
)

universes = Table(
    "universes",
    metadata,
    Column("name", String(64), primary_key=True),  # nifty500, fno, list-SLUG
    Column("title", String(200), nullable=False),
    Column("source", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

constituents = Table(
    "constituents",
    metadata,
    Column("universe", String(64), ForeignKey("universes.name", ondelete="CASCADE"), primary_key=True),
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
)

# A year of an instrument's days in one row, records of `core.history.candle`: a screen reads 2,500
# instruments in a fraction of the time that a row a day would take.
daily_candles = Table(
    "daily_candles",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "basis", String(8), primary_key=True
    ),  # raw: as traded; adjusted: as the broker restated it. Never mixed
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
)

# One-minute bars: a quarter of an hour of an instrument in one row while the session runs, a whole session in
# one row afterwards. Blocks of `core.bars.block`; `start` is that of the block.
minute_bars = Table(
    "minute_bars",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # seconds since the epoch
    Column("packed", LargeBinary, nullable=False),
)

# Which sessions were imported whole, and from what.
candle_days = Table(
    "candle_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("source", Text, nullable=False),
    Column("instruments", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
)

# One row: a database holds the market's candles or the simulated exchange's, see `db.candle_source`.
candle_source = Table(
    "candle_source",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("simulated", Boolean, nullable=False),
)

# One row: what signs the marks that redirects carry, see `web.marks`; all web processes of a database have
# the same.
site_key = Table(
    "site_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(64), nullable=False),
)

corporate_actions = Table(
    "corporate_actions",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ex_day", Date, primary_key=True),
    Column("numerator", Integer, nullable=False),  # new shares for `denominator` old ones
    Column("denominator", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # detected, confirmed, dismissed
    Column("evidence", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

screener_runs = Table(
    "screener_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sample", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("as_of", Date),
    Column("universe", String(64), nullable=False, server_default=""),
    Column("evaluated", Integer, nullable=False, server_default="0"),
    Column("spec", Text, nullable=False, server_default=""),
    Column("took_s", Float, nullable=False, server_default="0"),
    Column("notes", Text, nullable=False, server_default=""),
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
    Column("why", Text, nullable=False),
    Column("details", Text, nullable=False, server_default="{}"),  # JSON: what only some screeners say
    UniqueConstraint("run_id", "segment", "security_id"),
)

saved_screens = Table(
    "saved_screens",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("spec", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# One request to evaluate a screen, from the wish to the end; the newest of a kind is what its page shows.
screenings = Table(
    "screenings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("spec", Text, nullable=False),
    Column("universe", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # queued, running, done, failed
    Column("requested_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),  # last sign of life; a running one without is given up
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("per_s", Float, nullable=False),
    Column("best", Text, nullable=False),  # JSON: the best rows so far
    Column("message", Text, nullable=False),
    Column("run_id", Integer),
    Column(
        "client", String(64), nullable=False, server_default=""
    ),  # whose quota it counts against; empty: none
    Index(None, "kind", "id"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)
