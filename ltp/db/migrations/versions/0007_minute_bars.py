"""One-minute bars in blocks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "minute_bars",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "start", name="pk_minute_bars"),
    )
