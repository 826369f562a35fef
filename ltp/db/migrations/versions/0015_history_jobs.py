"""Fetches that pages request, and the lists that are fetched after each session."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "history_jobs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("universe", sa.String(64), nullable=False),
        sa.Column("keys", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date),
        sa.Column("last_day", sa.Date),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("asked_at", instant, nullable=False),
        sa.Column("started_at", instant),
        sa.Column("ended_at", instant),
        sa.Column("beat_at", instant, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("deaths", "done", "total")),
        sa.Column("per_min", sa.Float, nullable=False),
        sa.Column("place", sa.String(40), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_history_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_history_jobs_state", "history_jobs", ["state"])
    op.create_table(
        "history_schedules",
        sa.Column("universe", sa.String(64), nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("universe", name="pk_history_schedules"),
    )
