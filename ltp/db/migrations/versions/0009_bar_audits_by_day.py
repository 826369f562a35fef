"""Comparisons are read by session: without an index each page would read those of all sessions."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("ix_bar_audits_day", "bar_audits", ["day"])
