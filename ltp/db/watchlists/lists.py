"""The lists among themselves: made, ordered, deleted, and restored.

A deleted list keeps its lines for KEPT_DELETED; its universe goes at once, so screens and fetches of history leave
it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from ltp.core.watchlists.edits import DOWN, TOP, UP, replace
from ltp.core.watchlists.watchlist import (
    MAX_LISTS,
    Line,
    Watchlist,
    free_slug,
    is_slug,
    kind_of,
    parse_slug,
    parse_title,
    universe_of,
)
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import constituents, universes
from ltp.db.watchlists import store
from ltp.db.watchlists.tables import watchlist_changes, watchlist_lines, watchlists
from ltp.errors import InputError, NotFoundError

KEPT_DELETED: Final = timedelta(days=2)
MAX_DELETED: Final = 100  # the ones deleted first are dropped


class ListHead(NamedTuple):
    """A list without its lines. `size`: number of instruments. `deleted_at`: None for one that is not deleted."""

    slug: str
    title: str
    place: int
    version: int
    size: int
    changed_at: datetime
    members_at: datetime
    deleted_at: datetime | None

    @property
    def kind(self) -> str:
        """The kind of the runs in which its members are evaluated."""
        return kind_of(self.slug)


def fetch(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[ListHead]:
    """Return the lists in their order."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return all_in(connection)


def fetch_deleted(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[ListHead]:
    """Return the deleted lists that can be restored, the newest first."""
    kept = watchlists.c.deleted_at > datetime.now(UTC) - KEPT_DELETED
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(select(watchlists).where(kept).order_by(watchlists.c.deleted_at.desc()))
        return [ListHead(**row._asdict()) for row in rows]


def all_in(connection: Connection) -> list[ListHead]:
    rows = connection.execute(
        select(watchlists)
        .where(watchlists.c.deleted_at.is_(None))
        .order_by(watchlists.c.place, watchlists.c.slug)
    )
    return [ListHead(**row._asdict()) for row in rows]


def kinds_in(connection: Connection) -> set[str]:
    """Return the kinds of runs of the lists."""
    return {kind_of(slug) for slug in connection.execute(select(watchlists.c.slug)).scalars()}


def create(
    engine: Engine,
    title: str,
    lines: Sequence[Line] = (),
    *,
    slug: str = "",
    source: str,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> Watchlist:
    """Store a new list behind the others.

    Args:
        slug: its address; "": one is made of the title.
    Raises:
        InputError: title, slug or lines are not accepted, the slug is taken, or there are too many lists.
    """
    title = parse_title(title)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _lock(connection)
        _drop_old(connection)
        heads = all_in(connection)
        if len(heads) >= MAX_LISTS:
            raise InputError(
                "title", title, f"there are {MAX_LISTS} lists, and no more are kept; delete one first"
            )
        if slug:
            parse_slug(slug)
            if any(head.slug == slug for head in heads):
                raise InputError("slug", slug, "there is such a list already; choose another slug")
            _drop(connection, slug)  # a deleted one gives way to a list that is given its address
        taken = frozenset(connection.execute(select(watchlists.c.slug)).scalars())
        now = datetime.now(UTC)
        empty = Watchlist(slug or free_slug(title, taken), title, 1, now, now)
        new = replace(lines)(empty).watchlist
        values = {
            "slug": new.slug, "title": title, "place": _last_place(heads) + 1, "version": 1,
            "size": len(new.rows), "changed_at": now, "members_at": now, "deleted_at": None,
        }  # fmt: skip
        connection.execute(insert(watchlists).values(values))
        store.insert_lines(connection, new.slug, new.lines)
        store.make_universe(connection, new, source)
        store.note_change(connection, new, "list made")
        return new


def remove(engine: Engine, slug: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Delete a list; `restore` brings it back.

    Raises:
        NotFoundError: there is no such list.
    """
    if not is_slug(slug):
        raise NotFoundError("watchlist", slug)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _drop_old(connection)
        this = (watchlists.c.slug == slug) & watchlists.c.deleted_at.is_(None)
        deleted = connection.execute(update(watchlists).where(this).values(deleted_at=datetime.now(UTC)))
        if deleted.rowcount != 1:
            raise NotFoundError("watchlist", slug)
        connection.execute(delete(constituents).where(constituents.c.universe == universe_of(slug)))
        connection.execute(delete(universes).where(universes.c.name == universe_of(slug)))


def restore(engine: Engine, slug: str, source: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Watchlist:
    """Bring a deleted list back as it was; one that is not deleted stays as it is.

    Raises:
        NotFoundError: there is no such list, or it was deleted too long ago.
        InputError: there are too many lists meanwhile.
    """
    if not is_slug(slug):
        raise NotFoundError("watchlist", slug)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _lock(connection)
        _drop_old(connection)
        this = (watchlists.c.slug == slug) & watchlists.c.deleted_at.is_not(None)
        deleted = connection.execute(select(watchlists.c.slug).where(this)).first() is not None
        if deleted:
            if len(all_in(connection)) >= MAX_LISTS:
                raise InputError(
                    "list", slug, f"there are {MAX_LISTS} lists, and no more are kept; delete one first"
                )
            connection.execute(update(watchlists).where(this).values(deleted_at=None))
        found = store.list_in(connection, slug, lock=True)
        if not deleted:
            return found
        now = datetime.now(UTC)
        # Another version: pages that were open before show it again.
        new = found._replace(version=found.version + 1, changed_at=now, members_at=now)
        store.write_head(connection, new)
        store.make_universe(connection, new, source)
        store.note_change(connection, new, "list restored")
        return new


def move(engine: Engine, slug: str, how: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Move a list among the lists. `how`: up, down, top or bottom. Raises NotFoundError."""
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _lock(connection)
        slugs = [head.slug for head in all_in(connection)]
        if slug not in slugs:
            raise NotFoundError("watchlist", slug)
        place = slugs.index(slug)
        to = {UP: place - 1, DOWN: place + 1, TOP: 0}.get(how, len(slugs) - 1)
        slugs.insert(min(max(to, 0), len(slugs) - 1), slugs.pop(place))
        for number, each in enumerate(slugs, start=1):
            this = (watchlists.c.slug == each) & (watchlists.c.place != number)
            connection.execute(update(watchlists).where(this).values(place=number))


def _last_place(heads: Sequence[ListHead]) -> int:
    return max((head.place for head in heads), default=0)


def _drop_old(connection: Connection) -> None:
    """Drop the lists that were deleted long ago, and the oldest of too many."""
    deleted = select(watchlists.c.slug, watchlists.c.deleted_at).where(watchlists.c.deleted_at.is_not(None))
    rows = connection.execute(deleted.order_by(watchlists.c.deleted_at.desc())).all()
    oldest = datetime.now(UTC) - KEPT_DELETED
    for row in [row for place, row in enumerate(rows) if place >= MAX_DELETED or row.deleted_at < oldest]:
        _drop(connection, row.slug)


def _drop(connection: Connection, slug: str) -> None:
    for table in (watchlists, watchlist_lines, watchlist_changes):
        connection.execute(delete(table).where(table.c.slug == slug))


def _lock(connection: Connection) -> None:
    """Wait for other transactions that make or order lists; SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {watchlists.name} IN SHARE ROW EXCLUSIVE MODE"))
