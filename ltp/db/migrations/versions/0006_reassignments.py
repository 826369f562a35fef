"""Keys that came to mean another instrument: what was kept under them is of the one before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "reassignments",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", name="pk_reassignments"),
    )
