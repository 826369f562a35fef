"""Whether the daily candles are those of the simulated exchange; what was there before counts as real."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    table = op.create_table(
        "candle_source",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_candle_source"),
    )
    op.bulk_insert(table, [{"id": 1, "simulated": False}])
