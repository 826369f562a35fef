"""The tables of this room, beside those of `db.schema`. `db/migrations/` upgrades a database to both."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ltp.db.schema import Instant, metadata

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("target", String(16), nullable=False),  # key, universe, screen, market
    Column("name", String(64), nullable=False),
    Column("rule", Text, nullable=False),
    Column("repeat", String(8), nullable=False),
    Column("cool_down_s", Integer, nullable=False),
    Column("hysteresis", Float, nullable=False),  # per cent
    Column("expires", Date),
    Column("phases", String(200), nullable=False),  # separated by commas
    Column("note", Text, nullable=False),
    Column("channels", Text, nullable=False),  # ids, separated by commas
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # why the worker ended it
    Column("snoozed_until", Instant),
    Column("client", String(64), nullable=False),  # counted in its quota
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,  # an id is never reused: firings and states name it
)

# Deleted alerts and other changes leave no row to compare by time, so each change counts here. One row.
alert_changes = Table(
    "alert_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    # Rises with each worker that begins to lead. Redis counts leaders too, but begins anew when it is emptied.
    Column("fence", BigInteger, nullable=False, server_default="0"),
)

# What an alert remembers of an instrument between two starts of the worker.
alert_states = Table(
    "alert_states",
    metadata,
    Column("alert_id", Integer, ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("segment", String(16), primary_key=True),  # empty for an alert on no instrument
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),  # of the alert; an older one does not count
    Column("is_armed", Boolean, nullable=False),  # the rule was not met since the last firing
    Column("seen_at", Instant),  # the last packet that was judged
    Column("ltp", BigInteger),  # its price, 1/10,000 rupee
    Column("fired_at", Instant),
)

# `token` names the occasion: it is unique, so that two workers never fire one twice.
alert_firings = Table(
    "alert_firings",
    metadata,
    Column("id", Integer, primary_key=True),
    # No foreign key: the history stays when the alert is deleted.
    Column("alert_id", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("token", String(120), nullable=False),
    Column("segment", String(16), nullable=False),
    Column("security_id", BigInteger, nullable=False),
    Column("symbol", String(200), nullable=False),
    Column("rule", Text, nullable=False),  # as it was when it fired
    Column("note", Text, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("noticed_at", Instant, nullable=False),
    Column("ltp", BigInteger),
    Column("how", String(24), nullable=False),
    Column("since", Instant),
    Column("until", Instant),
    Column("detail", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),  # of the worker that stored it
    UniqueConstraint("alert_id", "token"),
    Index(None, "alert_id", "id"),
    sqlite_autoincrement=True,
)

# Decisions of the last days, bounded for each alert: what the rule saw, and why it did not fire.
alert_decisions = Table(
    "alert_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", Integer, nullable=False),
    Column("segment", String(16), nullable=False),
    Column("security_id", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant, nullable=False),  # equal decisions in a row are one
    Column("outcome", String(16), nullable=False),
    Column("value", Float),  # the nearest to the bound
    Column("bound", Float),
    Column("detail", Text, nullable=False),
    Index(None, "alert_id", "at"),
    sqlite_autoincrement=True,
)

# Terms of rules on the newest session, such as sma(volume, 20), computed by a command for the worker.
alert_values = Table(
    "alert_values",
    metadata,
    Column("segment", String(16), primary_key=True),
    Column("security_id", BigInteger, primary_key=True, autoincrement=False),
    Column("term", String(500), primary_key=True),
    Column("value", Float),  # NULL: the history is too short
    Column("as_of", Date, nullable=False),
    Column("made_at", Instant, nullable=False),
)

# Where firings are sent to. `target` is a secret too: an address with its token.
alert_channels = Table(
    "alert_channels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # webhook, mail, apprise
    Column("target", Text, nullable=False),
    Column("secret", Text, nullable=False, server_default=""),  # signs a webhook; or empty
    Column("is_on", Boolean, nullable=False),
    Column("per_minute", Integer, nullable=False),  # more firings than that in a minute are sent as one
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

# One firing to one channel; a test of a channel has no firing.
alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("firing_id", Integer, ForeignKey("alert_firings.id", ondelete="CASCADE")),
    Column("channel_id", Integer, nullable=False),
    Column("state", String(8), nullable=False),  # queued, sending, sent, failed, dropped
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("beat_at", Instant),  # last sign of life while it is sent
    Column("status", Integer),  # of HTTP or SMTP
    Column("outcome", Text, nullable=False),
    Column("digest_id", Integer),  # the delivery whose message held this firing too
    Column("ended_at", Instant),
    UniqueConstraint("firing_id", "channel_id"),
    Index(None, "state", "next_at"),
    Index(None, "channel_id", "id"),
    sqlite_autoincrement=True,
)
