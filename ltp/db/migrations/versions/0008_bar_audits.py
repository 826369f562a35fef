"""One-minute bars built here compared with the broker's, by instrument and session."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "bar_audits",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("is_final", sa.Boolean, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("equal_open", sa.Integer, nullable=False),
        sa.Column("equal_high", sa.Integer, nullable=False),
        sa.Column("equal_low", sa.Integer, nullable=False),
        sa.Column("equal_close", sa.Integer, nullable=False),
        sa.Column("equal_volume", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "day", name="pk_bar_audits"),
    )
