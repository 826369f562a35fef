"""Lists after an import of instruments: a share has another id, or a key means another instrument."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, update

from ltp.core.instrument import split_key
from ltp.core.watchlists.watchlist import SECTION
from ltp.db.watchlists.tables import watchlist_lines as lines
from ltp.db.watchlists.tables import watchlists


def slugs_with(connection: Connection, keys: Iterable[str]) -> set[str]:
    """Return the lists that have one of the keys."""
    found: set[str] = set()
    for segment, number in map(split_key, keys):
        this = (lines.c.segment == segment) & (lines.c.security_id == number)
        found |= set(connection.execute(select(lines.c.slug).where(this)).scalars())
    return found


def touch(connection: Connection, slugs: Iterable[str]) -> None:
    """Raise the version of lists whose members have become others, so that pages and caches read them again."""
    now = datetime.now(UTC)
    for slug in slugs:
        rows = (lines.c.slug == slug) & (lines.c.segment != SECTION)
        size = connection.execute(select(func.count()).select_from(lines).where(rows)).scalar_one()
        values = {"version": watchlists.c.version + 1, "size": size, "changed_at": now, "members_at": now}
        connection.execute(update(watchlists).where(watchlists.c.slug == slug).values(values))
