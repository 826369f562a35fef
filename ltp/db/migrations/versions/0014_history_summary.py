"""Counts of the stored bars and candles, which pages read in place of the bars."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "history_sessions",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("day", sa.Integer, nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("live", "broker", "file", "bytes")),
        sa.Column("crc", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "day", name="pk_history_sessions"),
    )
    op.create_table(
        "history_instruments",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("timeframe", sa.String(4), nullable=False),
        *(sa.Column(name, sa.Date, nullable=False) for name in ("first_day", "last_day")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("expected", "missing", "thin")),
        sa.Column("gap_days", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("bars", "live", "broker", "file", "official", "bytes")
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "timeframe", name="pk_history_instruments"),
    )
