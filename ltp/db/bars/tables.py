"""The tables about one-minute bars beside the bars, part of the schema in `db.schema`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, LargeBinary, String, Table

from ltp.db.schema import metadata

__all__ = ["audit_minutes", "bar_refills", "feed_connections", "feed_subscriptions", "metadata"]

# When the feed was connected, and since when and until when an instrument was subscribed, so that a minute
# without a trade differs from one without data. A run is the part of a worker's life that lies in one day of
# India: a subscription counts while a connection of its own run lasts, so that a worker that is killed leaves
# nothing to be closed. Seconds since the epoch; `run` in microseconds.
feed_connections = Table(
    "feed_connections",
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger, nullable=False),  # extended while the connection lasts
)

feed_subscriptions = Table(
    "feed_subscriptions",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("until", BigInteger, nullable=False),  # the end of the day while the subscription lasts
    Column("run", BigInteger, nullable=False),
    Index(None, "start"),
)

# Gaps of the coverage that were filled with the broker's bars while the session was on.
bar_refills = Table(
    "bar_refills",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("until", BigInteger, nullable=False),  # gaps before this second are filled
)

# The minutes of a session whose bars differed most from the broker's, at most `db.minutes.worst_minutes.MOST`.
audit_minutes = Table(
    "audit_minutes",
    metadata,
    Column("day", Date, primary_key=True),
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # seconds since the epoch
    Column("price_ppm", BigInteger, nullable=False),
    Column("volume_ppm", BigInteger, nullable=False),
    Column(
        "packed", LargeBinary, nullable=False
    ),  # the bar built here, then the broker's, as `core.bars.block`
)
