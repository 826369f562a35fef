"""Reading and changing one watchlist.

Each change is one transaction: the list is read, an edit of `core.watchlists.edits` is applied to it as it is then, and
the difference is written, with the members of its universe. So two editors at one moment lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from ltp.core.instrument import split_key
from ltp.core.watchlists.edits import Edit, Edited
from ltp.core.watchlists.watchlist import Line, Watchlist, is_slug, universe_of
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import constituents, universes
from ltp.db.watchlists.tables import watchlist_changes, watchlist_lines, watchlists
from ltp.errors import NotFoundError

KEPT_CHANGES: Final = 50  # of each list
_LINES: Final = watchlist_lines.c
_THIS_LINE: Final = (
    (_LINES.slug == bindparam("s"))
    & (_LINES.segment == bindparam("g"))
    & (_LINES.security_id == bindparam("i"))
)


class Change(NamedTuple):
    """`words`: such as "NSE_EQ:1333 added"; instruments are named by their keys."""

    version: int
    at: datetime
    words: str


def fetch(engine: Engine, slug: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Watchlist:
    """Return a list. Raises NotFoundError, also for a deleted one."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return list_in(connection, slug)


def version(engine: Engine, slug: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> tuple[int, datetime]:
    """Return the version of a list and the instant of its last change: a list that is made anew counts from 1 again.

    Raises:
        NotFoundError: there is no such list.
    """
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        head = _head(connection, slug)
        return head.version, head.changed_at


def changes(
    engine: Engine, slug: str, after: int = 0, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[Change]:
    """Return the kept changes of a list after a version, the newest first."""
    kept = watchlist_changes.c
    wanted = select(kept.version, kept.at, kept.words).where(kept.slug == slug, kept.version > after)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return [Change(*row) for row in connection.execute(wanted.order_by(kept.version.desc()))]


def change(
    engine: Engine, slug: str, edit: Edit, source: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> Edited:
    """Apply an edit to a list and return the list as it is afterwards, with the sentence about the change.

    Args:
        source: where its members come from, for lists of universes.
    Raises:
        NotFoundError: there is no such list.
        InputError, ConflictError: of the edit; nothing is changed.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        now = list_in(connection, slug, lock=True)
        edited = edit(now)
        if not edited.words:
            return edited
        new = edited.watchlist._replace(version=now.version + 1, changed_at=datetime.now(UTC))
        if {line.key for line in now.rows} != {line.key for line in new.rows}:
            new = new._replace(members_at=new.changed_at)
        write_head(connection, new)
        _write_lines(connection, now, new)
        _write_members(connection, now, new, source)
        note_change(connection, new, edited.words)
        return edited._replace(watchlist=new)


def list_in(connection: Connection, slug: str, *, lock: bool = False) -> Watchlist:
    """Return a list with its lines. `lock`: until the end of the transaction no other one changes it."""
    head = _head(connection, slug, lock=lock)
    columns = (_LINES.segment, _LINES.security_id, _LINES.title, _LINES.note, _LINES.flag)
    rows = connection.execute(select(*columns).where(_LINES.slug == slug).order_by(_LINES.place))
    lines = tuple(Line(f"{segment}:{number}", *texts) for segment, number, *texts in rows)
    return Watchlist(slug, head.title, head.version, head.changed_at, head.members_at, lines)


def write_head(connection: Connection, new: Watchlist) -> None:
    values = {
        "title": new.title, "version": new.version, "size": len(new.rows), "changed_at": new.changed_at,
        "members_at": new.members_at,
    }  # fmt: skip
    connection.execute(update(watchlists).where(watchlists.c.slug == new.slug).values(values))


def insert_lines(connection: Connection, slug: str, lines: Iterable[Line]) -> None:
    values = [_values(slug, place, line) for place, line in enumerate(lines)]
    if values:
        connection.execute(insert(watchlist_lines), values)


def make_universe(connection: Connection, new: Watchlist, source: str) -> None:
    """Store the universe of a list with all its members, in place of one of the same name."""
    name = universe_of(new.slug)
    connection.execute(delete(constituents).where(constituents.c.universe == name))
    connection.execute(delete(universes).where(universes.c.name == name))
    values = {"name": name, "title": new.title, "source": source, "changed_at": new.changed_at}
    connection.execute(insert(universes).values(values))
    _add_members(connection, name, (line.key for line in new.rows))


def note_change(connection: Connection, new: Watchlist, words: str) -> None:
    values = {"slug": new.slug, "version": new.version, "at": new.changed_at, "words": words}
    connection.execute(insert(watchlist_changes).values(values))
    kept = watchlist_changes.c
    old = (kept.slug == new.slug) & (kept.version <= new.version - KEPT_CHANGES)
    connection.execute(delete(watchlist_changes).where(old))


def _head(connection: Connection, slug: str, *, lock: bool = False) -> Any:
    wanted = select(watchlists).where(watchlists.c.slug == slug, watchlists.c.deleted_at.is_(None))
    head = connection.execute(wanted.with_for_update() if lock else wanted).first() if is_slug(slug) else None
    if head is None:
        raise NotFoundError("watchlist", slug)
    return head


def _write_lines(connection: Connection, now: Watchlist, new: Watchlist) -> None:
    """Write the lines that are others now."""
    # As they are stored: a line that an import of instruments has deleted leaves a gap.
    stored = connection.execute(
        select(_LINES.segment, _LINES.security_id, _LINES.place).where(_LINES.slug == new.slug)
    )
    places = {f"{segment}:{number}": place for segment, number, place in stored}
    before = {line.key: (places[line.key], line) for line in now.lines}
    after = {line.key: (place, line) for place, line in enumerate(new.lines)}
    gone = [_this_line(new.slug, key) for key in before.keys() - after.keys()]
    if gone:
        connection.execute(delete(watchlist_lines).where(_THIS_LINE), gone)
    added = [_values(new.slug, place, line) for key, (place, line) in after.items() if key not in before]
    changed = [
        _this_line(new.slug, key) | {f"new_{name}": value for name, value in _texts(place, line).items()}
        for key, (place, line) in after.items()
        if key in before and before[key] != (place, line)
    ]
    if changed:
        renewed: dict[str, Any] = {
            name: bindparam(f"new_{name}") for name in ("place", "title", "note", "flag")
        }
        connection.execute(update(watchlist_lines).where(_THIS_LINE).values(renewed), changed)
    if added:
        connection.execute(insert(watchlist_lines), added)


def _write_members(connection: Connection, now: Watchlist, new: Watchlist, source: str) -> None:
    before, after = ({line.key for line in each.rows} for each in (now, new))
    if before == after and now.title == new.title:
        return
    name = universe_of(new.slug)
    values: dict[str, Any] = {"title": new.title, "changed_at": new.changed_at}
    if before != after:
        values["source"] = source
    connection.execute(update(universes).where(universes.c.name == name).values(values))
    gone = [{"u": name, "g": segment, "i": id_} for segment, id_ in map(split_key, before - after)]
    if gone:
        members = constituents.c
        this = (
            (members.universe == bindparam("u"))
            & (members.segment == bindparam("g"))
            & (members.security_id == bindparam("i"))
        )
        connection.execute(delete(constituents).where(this), gone)
    _add_members(connection, name, after - before)


def _add_members(connection: Connection, name: str, keys: Iterable[str]) -> None:
    values = [
        {"universe": name, "segment": segment, "security_id": id_} for segment, id_ in map(split_key, keys)
    ]
    if values:
        connection.execute(insert(constituents), values)


def _this_line(slug: str, key: str) -> dict[str, Any]:
    segment, number = split_key(key)
    return {"s": slug, "g": segment, "i": number}


def _texts(place: int, line: Line) -> dict[str, Any]:
    return {"place": place, "title": line.title, "note": line.note, "flag": line.flag}


def _values(slug: str, place: int, line: Line) -> dict[str, Any]:
    segment, number = split_key(line.key)
    return {"slug": slug, "segment": segment, "security_id": number} | _texts(place, line)
