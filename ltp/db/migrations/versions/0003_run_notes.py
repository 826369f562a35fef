"""What a run says of itself: the shares that it had to leave out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("screener_runs") as runs:
        runs.add_column(sa.Column("notes", sa.Text, nullable=False, server_default=""))
