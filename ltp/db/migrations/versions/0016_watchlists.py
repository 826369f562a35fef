"""Watchlists with an order, sections, notes and flags; universes called list-SLUG become such lists."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "watchlists",
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("place", "version", "size")),
        *(sa.Column(name, instant, nullable=False) for name in ("changed_at", "members_at")),
        sa.Column("deleted_at", instant),
        sa.PrimaryKeyConstraint("slug", name="pk_watchlists"),
    )
    op.create_table(
        "watchlist_lines",
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("segment", sa.String(16), nullable=False),
        sa.Column("security_id", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("place", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String(200), nullable=False) for name in ("title", "note")),
        sa.Column("flag", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("slug", "segment", "security_id", name="pk_watchlist_lines"),
    )
    op.create_table(
        "watchlist_changes",
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("slug", "version", name="pk_watchlist_changes"),
    )
    op.execute(
        "INSERT INTO watchlists (slug, title, place, version, size, changed_at, members_at) "
        "SELECT substr(name, 6), title, row_number() OVER (ORDER BY title, name), 1, "
        "(SELECT count(*) FROM constituents WHERE universe = name), changed_at, changed_at "
        "FROM universes WHERE name LIKE 'list-%'"
    )
    op.execute(
        "INSERT INTO watchlist_lines (slug, segment, security_id, place, title, note, flag) "
        "SELECT substr(universe, 6), segment, security_id, "
        "row_number() OVER (PARTITION BY universe ORDER BY segment, security_id), '', '', '' "
        "FROM constituents WHERE universe LIKE 'list-%'"
    )
