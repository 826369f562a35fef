"""Saved screens in SQL: a slug for the address, a name for people, and the screen itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from ltp.core.criteria.spec import KIND_PREFIX, Spec, from_text, kind_of, text_of
from ltp.core.screener import KINDS
from ltp.db.engine import reading, writing
from ltp.db.schema import saved_screens as table
from ltp.errors import InputError, NotFoundError

MAX_SAVED: Final = 200
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
# Addresses below /screeners that have another meaning.
RESERVED: Final = frozenset(
    {
        *KINDS,
        "custom",
        "runs",
        "compare",
        "new",
        "run",
        "save",
        "saved",
        "delete",
        "stream",
        "poll",
        "progress",
    }
)
_ACCEPTED: Final = "an address is small letters, digits and hyphens, at most 64, such as strong-trend"


class SavedScreen(NamedTuple):
    slug: str
    name: str
    spec: Spec
    created_at: datetime

    @property
    def kind(self) -> str:
        """The kind of its runs; screens with the same meaning share their runs."""
        return kind_of(self.spec)


def slug_of(name: str) -> str:
    """Return the slug for a name: "Strong trend!" gives strong-trend. Empty if no letter or digit is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower(), flags=re.ASCII).strip("-")[:64].strip("-")


def save(engine: Engine, slug: str, name: str, spec: Spec) -> SavedScreen:
    """Store a screen. A stored screen of the same slug is replaced only if it has the same name.

    Raises:
        InputError: the slug or name is not accepted or taken, the screen has no criteria, or too many are
            saved.
    """
    _check(slug, name, spec)
    values = {"slug": slug, "name": name, "spec": text_of(spec), "created_at": datetime.now(UTC)}
    with writing(engine) as connection:
        stored = connection.execute(select(table.c.name).where(table.c.slug == slug)).scalar()
        if stored is not None and stored != name:
            raise InputError("Address", slug, f"it is the address of the screen {stored!r}; choose another")
        if stored is None:
            count = connection.execute(select(func.count()).select_from(table)).scalar_one()
            if count >= MAX_SAVED:
                raise InputError("Name", name, f"at most {MAX_SAVED} screens are saved; delete one first")
            connection.execute(insert(table).values(values))
        else:
            connection.execute(update(table).where(table.c.slug == slug).values(spec=values["spec"]))
        return next(screen for screen in all_in(connection) if screen.slug == slug)


def remove(engine: Engine, slug: str) -> None:
    """Delete a screen; its runs stay until they are old.

    Raises:
        NotFoundError: there is no such screen.
    """
    with writing(engine) as connection:
        if connection.execute(delete(table).where(table.c.slug == slug)).rowcount != 1:
            raise NotFoundError("saved screen", slug)


def fetch(engine: Engine, slug: str) -> SavedScreen | None:
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.slug == slug)).first()
        return None if row is None else _screen(row)


def all_in(connection: Connection) -> list[SavedScreen]:
    """Return all saved screens that this version can parse, by name."""
    screens = []
    for row in connection.execute(select(table).order_by(table.c.name, table.c.slug)):
        try:
            screens.append(_screen(row))
        except InputError:
            continue  # saved by a version with another grammar; its own page shows the error
    return screens


@lru_cache(maxsize=2 * MAX_SAVED)
def _spec(text: str) -> Spec:
    # Cached, because the catalog reads all screens every two seconds and parsing their criteria costs more.
    return from_text(text)


def _screen(row: Row[tuple[str, str, str, datetime]]) -> SavedScreen:
    return SavedScreen(row.slug, row.name, _spec(row.spec), row.created_at)


def _check(slug: str, name: str, spec: Spec) -> None:
    if not _SLUG.fullmatch(slug) or slug in RESERVED or slug.startswith(KIND_PREFIX):
        raise InputError("Address", slug, f"{_ACCEPTED}; {', '.join(sorted(RESERVED))} are taken")
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise InputError("Name", name, "a name is 1 to 200 characters")
    if not spec.criteria:
        raise InputError("c", "", "a screen that is saved has at least one criterion")
