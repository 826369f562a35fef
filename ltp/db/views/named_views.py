"""Named views in SQL. The text of a view is not parsed here: pages check it before it is saved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, select, update

from ltp.core.clients.client_address import EXEMPT
from ltp.db.engine import BUSY_TIMEOUT_MS, writing
from ltp.db.on_conflict import insert
from ltp.db.saved_screens import slug_of
from ltp.db.views.tables import views as table
from ltp.errors import InputError, NotFoundError

MAX_VIEWS: Final = 100
MAX_OF_CLIENT: Final = 40  # so that no client takes the places of all
MAX_NAME: Final = 80


class View(NamedTuple):
    """`query`: the parameters of an address, such as "sort=-rs6m&columns=ltp,rsi". `tab`: the one in it."""

    slug: str
    name: str
    query: str
    tab: str
    created_at: datetime


def save(
    engine: Engine,
    name: str,
    query: str,
    tab: str,
    client: str,
    *,
    reserved: Collection[str] = (),
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> str:
    """Store a view and return its slug. A stored view of the same name gets the new query.

    Args:
        client: of the request, EXEMPT for one without a quota.
        reserved: slugs that have another meaning.
    Raises:
        InputError: the name is not accepted, or too many are saved.
    """
    name = accepted_name(name)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        known = select(table.c.slug).where(table.c.name == name)
        if (slug := connection.execute(known).scalar()) is not None:
            connection.execute(update(table).where(table.c.slug == slug).values(query=query, tab=tab))
            return str(slug)
        _refuse_too_many(connection, name, client)
        values = {"name": name, "query": query, "tab": tab, "client": client, "created_at": datetime.now(UTC)}
        stem = slug_of(name)[:58] or "view"  # a name in another script has no letter of an address
        slugs = (
            stem if number == 1 else f"{stem}-{number}" for number in range(1, MAX_VIEWS + len(reserved) + 2)
        )
        return next(
            each for each in slugs if each not in reserved and _inserted(connection, {"slug": each, **values})
        )


def rename(engine: Engine, slug: str, name: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Give a view another name; its slug stays, so that addresses keep their meaning.

    Raises:
        InputError: the name is not accepted, or is that of another view.
        NotFoundError: there is no such view.
    """
    name = accepted_name(name)
    _refuse_impossible(slug)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        other = select(table.c.slug).where(table.c.name == name, table.c.slug != slug)
        if connection.execute(other).first() is not None:
            raise InputError("Name", name, "it is the name of another view; choose another")
        if connection.execute(update(table).where(table.c.slug == slug).values(name=name)).rowcount != 1:
            raise NotFoundError("view", slug)


def remove(engine: Engine, slug: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
    """Delete a view.

    Raises:
        NotFoundError: there is no such view.
    """
    _refuse_impossible(slug)
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        if connection.execute(delete(table).where(table.c.slug == slug)).rowcount != 1:
            raise NotFoundError("view", slug)


def _refuse_impossible(slug: str) -> None:
    if not slug.isprintable():  # PostgreSQL takes no NUL, which would look like a fault of the database
        raise NotFoundError("view", slug)


def all_in(connection: Connection) -> list[View]:
    """Return all views by name."""
    rows = connection.execute(select(table).order_by(table.c.name, table.c.slug))
    return [View(row.slug, row.name, row.query, row.tab, row.created_at) for row in rows]


def accepted_name(name: str) -> str:
    """Return a name without blanks at its ends and with single ones inside.

    Raises:
        InputError: it is empty, too long, or has characters without a shape, which could hide a part of it.
    """
    found = " ".join(name.split())
    if not found or len(found) > MAX_NAME or not found.isprintable():
        raise InputError("Name", name, f"a name is 1 to {MAX_NAME} printable characters")
    return found


def _refuse_too_many(connection: Connection, name: str, client: str) -> None:
    if connection.execute(select(func.count()).select_from(table)).scalar_one() >= MAX_VIEWS:
        raise InputError("Name", name, f"at most {MAX_VIEWS} views are saved; delete one first")
    own = select(func.count()).select_from(table).where(table.c.client == client)
    if client != EXEMPT and connection.execute(own).scalar_one() >= MAX_OF_CLIENT:
        raise InputError("Name", name, f"at most {MAX_OF_CLIENT} views of yours are saved; delete one first")


def _inserted(connection: Connection, values: dict[str, object]) -> bool:
    """Insert a view unless its slug is taken. Returns whether it was inserted."""
    added = insert(connection, table).values(values).on_conflict_do_nothing().returning(table.c.slug)
    return connection.execute(added).scalar() is not None
