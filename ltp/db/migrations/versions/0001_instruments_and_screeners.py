"""The instrument master and the runs of the screeners."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "instruments",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("symbol", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("isin", sa.String(12), nullable=False),
        sa.Column("lot_size", sa.Integer, nullable=False),
        sa.Column("tick_size", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", name="pk_instruments"),
    )
    op.create_index("ix_instruments_changed_at", "instruments", ["changed_at"])
    op.create_index("ix_instruments_symbol", "instruments", ["symbol"])
    op.create_table(
        "screener_runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sample", sa.Boolean, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_screener_runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_screener_runs_kind_id", "screener_runs", ["kind", "id"])
    op.create_table(
        "screener_rows",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sector", sa.String(200), nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("setup", sa.String(200), nullable=False),
        sa.Column("entry", sa.BigInteger),
        sa.Column("stop", sa.BigInteger),
        sa.Column("target", sa.BigInteger),
        sa.Column("why", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "rank", name="pk_screener_rows"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["screener_runs.id"], name="fk_screener_rows_run_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "run_id", "segment", "security_id", name="uq_screener_rows_run_id_segment_security_id"
        ),
    )
