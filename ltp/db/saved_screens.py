"""Custom screens that were saved under a name: a slug for the address, a name for people, the screen itself."""

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
# Addresses below /screeners that are something else.
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


class Screen(NamedTuple):
    slug: str
    name: str
    spec: Spec
    created_at: datetime

    @property
    def kind(self) -> str:
        """The kind of its runs: two screens that mean the same share them."""
        return kind_of(self.spec)


def slug_of(name: str) -> str:
    """Return the address a name suggests: "Strong trend!" gives strong-trend, empty where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower(), flags=re.ASCII).strip("-")[:64].strip("-")


def save(engine: Engine, slug: str, name: str, spec: Spec) -> Screen:
    """Store a screen; a slug that is there already is replaced only by a screen of the same name.

    Raises:
        InputError: the slug or name is not accepted or taken, the screen has no criteria, or too many are
            saved.
    """
    _check(slug, name, spec)
    values = {"slug": slug, "name": name, "spec": text_of(spec), "created_at": datetime.now(UTC)}
    with writing(engine) as connection:
        held = connection.execute(select(table.c.name).where(table.c.slug == slug)).scalar()
        if held is not None and held != name:
            raise InputError("Address", slug, f"it is the address of the screen {held!r}; choose another")
        if held is None:
            count = connection.execute(select(func.count()).select_from(table)).scalar_one()
            if count >= MAX_SAVED:
                raise InputError("Name", name, f"at most {MAX_SAVED} screens are saved; delete one first")
            connection.execute(insert(table).values(values))
        else:
            connection.execute(update(table).where(table.c.slug == slug).values(spec=values["spec"]))
        return next(screen for screen in all_in(connection) if screen.slug == slug)


def remove(engine: Engine, slug: str) -> None:
    """Forget a screen; its runs stay until they are old.

    Raises:
        NotFoundError: there is none.
    """
    with writing(engine) as connection:
        if connection.execute(delete(table).where(table.c.slug == slug)).rowcount != 1:
            raise NotFoundError("saved screen", slug)


def fetch(engine: Engine, slug: str) -> Screen | None:
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.slug == slug)).first()
        return None if row is None else _screen(row)


def all_in(connection: Connection) -> list[Screen]:
    """Return every saved screen that this version understands, by name."""
    screens = []
    for row in connection.execute(select(table).order_by(table.c.name, table.c.slug)):
        try:
            screens.append(_screen(row))
        except InputError:
            continue  # saved under another grammar; its page says so when it is asked for
    return screens


@lru_cache(maxsize=2 * MAX_SAVED)
def _spec(text: str) -> Spec:
    # Caches read all screens every few seconds, and their criteria would be parsed each time.
    return from_text(text)


def _screen(row: Row[tuple[str, str, str, datetime]]) -> Screen:
    return Screen(row.slug, row.name, _spec(row.spec), row.created_at)


def _check(slug: str, name: str, spec: Spec) -> None:
    if not _SLUG.fullmatch(slug) or slug in RESERVED or slug.startswith(KIND_PREFIX):
        raise InputError("Address", slug, f"{_ACCEPTED}; {', '.join(sorted(RESERVED))} are taken")
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise InputError("Name", name, "a name is 1 to 200 characters")
    if not spec.criteria:
        raise InputError("c", "", "a screen that is saved has at least one criterion")
