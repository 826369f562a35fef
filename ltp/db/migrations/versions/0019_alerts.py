"""Alerts: their rules, states, firings, decisions, terms, channels and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _rules()
    _firings()
    _deliveries()


def _rules() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("repeat", sa.String(8), nullable=False),
        sa.Column("cool_down_s", sa.Integer, nullable=False),
        sa.Column("hysteresis", sa.Float, nullable=False),
        sa.Column("expires", sa.Date),
        sa.Column("phases", sa.String(200), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("channels", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("snoozed_until", _INSTANT),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_changed_at", "alerts", ["changed_at"])
    op.create_table(
        "alert_changes",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_changes"),
    )
    op.execute("INSERT INTO alert_changes (id, number) VALUES (1, 0)")
    op.create_table(
        "alert_states",
        sa.Column("alert_id", sa.Integer, nullable=False),
        *_instrument(),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("is_armed", sa.Boolean, nullable=False),
        sa.Column("seen_at", _INSTANT),
        sa.Column("ltp", sa.BigInteger),
        sa.Column("fired_at", _INSTANT),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.id"], name="fk_alert_states_alert_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "segment", "security_id", name="pk_alert_states"),
    )


def _firings() -> None:
    op.create_table(
        "alert_firings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("alert_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("token", sa.String(120), nullable=False),
        *_instrument(),
        sa.Column("symbol", sa.String(200), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("noticed_at", _INSTANT, nullable=False),
        sa.Column("ltp", sa.BigInteger),
        sa.Column("how", sa.String(24), nullable=False),
        sa.Column("since", _INSTANT),
        sa.Column("until", _INSTANT),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_firings"),
        sa.UniqueConstraint("alert_id", "token", name="uq_alert_firings_alert_id_token"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_firings_at", "alert_firings", ["at"])
    op.create_index("ix_alert_firings_alert_id_id", "alert_firings", ["alert_id", "id"])
    op.create_table(
        "alert_decisions",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("alert_id", sa.Integer, nullable=False),
        *_instrument(),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("bound", sa.Float),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_decisions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_decisions_alert_id_at", "alert_decisions", ["alert_id", "at"])
    op.create_table(
        "alert_values",
        *_instrument(),
        sa.Column("term", sa.String(500), nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "term", name="pk_alert_values"),
    )


def _deliveries() -> None:
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False, server_default=""),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("per_minute", sa.Integer, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_channels"),
        sa.UniqueConstraint("name", name="uq_alert_channels_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("firing_id", sa.Integer),
        sa.Column("channel_id", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("beat_at", _INSTANT),
        sa.Column("status", sa.Integer),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("digest_id", sa.Integer),
        sa.Column("ended_at", _INSTANT),
        sa.ForeignKeyConstraint(
            ["firing_id"],
            ["alert_firings.id"],
            name="fk_alert_deliveries_firing_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert_deliveries"),
        sa.UniqueConstraint("firing_id", "channel_id", name="uq_alert_deliveries_firing_id_channel_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_deliveries_state_next_at", "alert_deliveries", ["state", "next_at"])
    op.create_index("ix_alert_deliveries_channel_id_id", "alert_deliveries", ["channel_id", "id"])


def _instrument() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
    )
