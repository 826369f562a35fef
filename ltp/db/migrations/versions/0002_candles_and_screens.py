"""Daily candles, corporate actions, universes, and screens that are computed here."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("instruments") as instruments:
        instruments.add_column(sa.Column("series", sa.String(8), nullable=False, server_default=""))
        instruments.add_column(sa.Column("sector", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "instrument_names",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "segment", name="pk_instrument_names"),
    )
    _universes()
    _candles()
    _screens()


def _universes() -> None:
    op.create_table(
        "universes",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_universes"),
    )
    op.create_table(
        "constituents",
        sa.Column("universe", sa.String(64), nullable=False),
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("universe", "segment", "security_id", name="pk_constituents"),
        sa.ForeignKeyConstraint(
            ["universe"], ["universes.name"], name="fk_constituents_universe", ondelete="CASCADE"
        ),
    )


def _candles() -> None:
    op.create_table(
        "daily_candles",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("basis", sa.String(8), nullable=False),
        sa.Column("year", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "basis", "year", name="pk_daily_candles"),
    )
    op.create_table(
        "candle_days",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("instruments", sa.Integer, nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_candle_days"),
    )
    op.create_table(
        "corporate_actions",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("ex_day", sa.Date, nullable=False),
        sa.Column("numerator", sa.Integer, nullable=False),
        sa.Column("denominator", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "ex_day", name="pk_corporate_actions"),
    )


def _screens() -> None:
    with op.batch_alter_table("screener_runs") as runs:
        runs.add_column(sa.Column("as_of", sa.Date))
        runs.add_column(sa.Column("universe", sa.String(64), nullable=False, server_default=""))
        runs.add_column(sa.Column("evaluated", sa.Integer, nullable=False, server_default="0"))
        runs.add_column(sa.Column("spec", sa.Text, nullable=False, server_default=""))
        runs.add_column(sa.Column("took_s", sa.Float, nullable=False, server_default="0"))
    with op.batch_alter_table("screener_rows") as rows:
        rows.alter_column("why", type_=sa.Text, existing_type=sa.String(200), existing_nullable=False)
        rows.add_column(sa.Column("details", sa.Text, nullable=False, server_default="{}"))
    op.create_table(
        "saved_screens",
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_saved_screens"),
    )
    op.create_table(
        "screenings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("universe", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("found", sa.Integer, nullable=False),
        sa.Column("per_s", sa.Float, nullable=False),
        sa.Column("best", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("run_id", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_screenings"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_screenings_kind_id", "screenings", ["kind", "id"])
    op.create_index("ix_screenings_state", "screenings", ["state"])
