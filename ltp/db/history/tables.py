"""The tables of this room, beside those of `db.schema`. `db/migrations/` upgrades a database to both."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Float, Index, Integer, String, Table, Text

from ltp.db.schema import Instant, metadata

# The one-minute bars of a session of an instrument, counted. `crc`: of its blocks as they were counted, so that
# only changed blocks are unpacked the next time.
history_sessions = Table(
    "history_sessions",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970, in India
    Column("live", Integer, nullable=False),
    Column("broker", Integer, nullable=False),
    Column("file", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("crc", BigInteger, nullable=False),
)

# What is stored of an instrument. Pages read it, because counting takes seconds.
history_instruments = Table(
    "history_instruments",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("timeframe", String(4), primary_key=True),  # 1m, 1d
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("expected", Integer, nullable=False),  # sessions of the calendar since the first day
    Column("missing", Integer, nullable=False),  # of them without a bar
    Column("thin", Integer, nullable=False),  # of them with far fewer bars than minutes
    Column("gap_days", Text, nullable=False),  # the newest of both, for people
    Column("bars", BigInteger, nullable=False),
    Column("live", BigInteger, nullable=False),
    Column("broker", BigInteger, nullable=False),
    Column("file", BigInteger, nullable=False),
    Column("official", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("made_at", Instant, nullable=False),
)

# Requested fetches, from the queue to the end.
history_jobs = Table(
    "history_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("action", String(16), nullable=False),  # fetch, refill, replace, daily
    Column("universe", String(64), nullable=False),  # empty: `keys`
    Column("keys", Text, nullable=False),  # separated by spaces
    Column("first_day", Date),  # None for daily candles
    Column("last_day", Date),
    Column("state", String(16), nullable=False),  # queued, running, paused, done, failed, cancelled
    Column("client", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("beat_at", Instant, nullable=False),  # last sign of life
    Column("deaths", Integer, nullable=False),  # how often it was found without one
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("per_min", Float, nullable=False),
    Column("place", String(40), nullable=False),  # key of the last instrument that is done
    Column("line", Text, nullable=False),
    Index(None, "state"),
    sqlite_autoincrement=True,
)

# Lists whose one-minute bars are fetched after each session.
history_schedules = Table(
    "history_schedules",
    metadata,
    Column("universe", String(64), primary_key=True),
    Column("changed_at", Instant, nullable=False),
)
