"""The worst minutes of a session with both bars, and how many bars the rule of the day high made right."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    for name in ("inferred", "inferred_right"):
        op.add_column("bar_audits", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "audit_minutes",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("price_ppm", sa.BigInteger, nullable=False),
        sa.Column("volume_ppm", sa.BigInteger, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("day", "segment", "security_id", "start", name="pk_audit_minutes"),
    )
