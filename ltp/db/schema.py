"""The tables of this version of the program. `migrations/` upgrades a database to them.

A test compares the two, so a column cannot be added in one place only.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

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
    """An aware UTC instant. SQLite stores no time zone, so values read from it get UTC here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    # Named constraints, because SQLite can drop a constraint only by its name.
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
    Column("changed_at", Instant, nullable=False, index=True),  # caches reload when its maximum rises
    Column("series", String(8), nullable=False, server_default=""),  # EQ, BE, ...; empty where there is none
    Column("sector", String(200), nullable=False, server_default=""),
    Index(None, "symbol"),
)

# Former symbols and ISINs: files of earlier years and files of other sources name instruments by them.
instrument_names = Table(
    "instrument_names",
    metadata,
    Column("name", String(200), primary_key=True),  # a symbol, or an ISIN
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

# Keys that the exchange gave to another instrument. `cleared`: the rows of the former instrument are deleted.
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

# One row for a year of an instrument's candles, packed as records of `core.history.candle`: a screen reads
# 2,500 instruments in a fraction of the time that a row for each day would take.
daily_candles = Table(
    "daily_candles",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    # raw: as traded; adjusted: as the broker restated it for later splits and bonuses. Never mixed.
    Column("basis", String(8), primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
)

# On PostgreSQL the tables of bars of minutes have a partition a month, see `db.bars.partitions`.
_BY_MONTH: Final = "RANGE (start)"

# One-minute bars: a quarter of an hour of an instrument in one row while the session runs, a whole session in
# one row afterwards. Blocks of `core.bars.block`; `start` is that of the block.
minute_bars = Table(
    "minute_bars",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # seconds since the epoch
    Column("packed", LargeBinary, nullable=False),
    postgresql_partition_by=_BY_MONTH,
)

# Five-minute bars of sessions whose one-minute bars are deleted, a block a session; as `minute_bars`.
five_minute_bars = Table(
    "five_minute_bars",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
    postgresql_partition_by=_BY_MONTH,
)

# Sessions whose one-minute bars are kept whatever their age; `day` is counted since 1970 in India.
kept_sessions = Table(
    "kept_sessions", metadata, Column("day", Integer, primary_key=True, autoincrement=False)
)

# One-minute bars built here compared with the broker's, which replaced them: how many minutes of a session
# were compared, and in how many of them each value was the same.
bar_audits = Table(
    "bar_audits",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("is_final", Boolean, nullable=False),  # the broker's bars were fetched after the session
    Column("minutes", Integer, nullable=False),
    Column("equal_open", Integer, nullable=False),
    Column("equal_high", Integer, nullable=False),
    Column("equal_low", Integer, nullable=False),
    Column("equal_close", Integer, nullable=False),
    Column("equal_volume", Integer, nullable=False),
    Column(
        "inferred", Integer, nullable=False, server_default="0"
    ),  # bars with an extreme of the day high rule
    Column("inferred_right", Integer, nullable=False, server_default="0"),
    Index(None, "day"),
)

# Sessions whose candles were imported, and their source.
candle_days = Table(
    "candle_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("source", Text, nullable=False),
    Column("instruments", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
)

# One row: a database has the market's candles or the simulated exchange's, see `db.candle_source`.
candle_source = Table(
    "candle_source",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("simulated", Boolean, nullable=False),
)

# One row: the key that signs the marks in redirects, see `web.marks`. All web processes read the same one.
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
    Column("state", String(16), nullable=False),  # detected, unexplained, confirmed, dismissed
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
    sqlite_autoincrement=True,  # an id is never reused: caches have runs by id
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
    Column(
        "details", Text, nullable=False, server_default="{}"
    ),  # JSON: fields that only some screeners have
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

# Evaluations of screens, from the queue to the end. The page of a screen shows the newest one of its kind.
screenings = Table(
    "screenings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("spec", Text, nullable=False),
    Column("universe", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # queued, running, done, failed
    Column("requested_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),  # last sign of life; a running one fails a minute after it
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("found", Integer, nullable=False),
    Column("per_s", Float, nullable=False),
    Column("best", Text, nullable=False),  # JSON: the best rows so far
    Column("message", Text, nullable=False),
    Column("run_id", Integer),
    Column("client", String(64), nullable=False, server_default=""),  # counted in its quota; empty: in none
    Index(None, "kind", "id"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)
