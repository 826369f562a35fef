"""Five-minute bars, which stay when one-minute bars are deleted, and sessions that are kept whatever their age."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "five_minute_bars",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "start", name="pk_five_minute_bars"),
    )
    op.create_table(
        "kept_sessions",
        sa.Column("day", sa.Integer, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("day", name="pk_kept_sessions"),
    )
