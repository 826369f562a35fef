"""When the feed was connected and an instrument subscribed, and which gaps the broker's bars filled."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "feed_connections",
        sa.Column("run", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("run", "start", name="pk_feed_connections"),
    )
    op.create_table(
        "feed_subscriptions",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("start", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("run", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "start", name="pk_feed_subscriptions"),
    )
    op.create_index("ix_feed_subscriptions_start", "feed_subscriptions", ["start"])
    op.create_table(
        "bar_refills",
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("segment", "security_id", "day", name="pk_bar_refills"),
    )
