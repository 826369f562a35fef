"""Whose each request to evaluate a screen is, and the key that signs what redirects carry.

The key is one for all web processes of a database; it is made here and never shown.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    table = op.create_table(
        "site_key",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_site_key"),
    )
    op.bulk_insert(table, [{"id": 1, "key": secrets.token_hex(32)}])
    op.add_column("screenings", sa.Column("client", sa.String(64), nullable=False, server_default=""))
