"""Named sets of instruments for screens: index members, shares with futures, all shares, watchlists.

`core.formats.symbol_lists` reads the exchange's lists, `batch.master_import` the instrument master.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, insert, select

from ltp.core.instrument import split_key
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import constituents
from ltp.db.schema import universes as table
from ltp.errors import NotFoundError

ALL: Final = "all"
FNO: Final = "fno"
# In the order in which pages and commands list them; watchlists follow by title.
TITLES: Final = {
    "nifty50": "NIFTY 50",
    "nifty100": "NIFTY 100",
    "nifty200": "NIFTY 200",
    "nifty500": "NIFTY 500",
    FNO: "F&O stocks",
    ALL: "All EQ shares of the NSE",
}
SHIPPED: Final = "shipped with the program"  # `source` of a universe before the first import
_CHUNK: Final = 5_000


class Universe(NamedTuple):
    """`name`: one of TITLES or list-SLUG. `source`: where its members come from. `size`: their number."""

    name: str
    title: str
    source: str
    changed_at: datetime
    size: int


def replace(engine: Engine, name: str, title: str, source: str, keys: Iterable[str]) -> int:
    """Replace the members of a universe by `keys`. Returns their number.

    Raises:
        DatabaseError: nothing is changed.
    """
    members = [
        {"universe": name, "segment": segment, "security_id": security_id}
        for segment, security_id in map(split_key, dict.fromkeys(keys))
    ]
    with writing(engine) as connection:
        connection.execute(delete(constituents).where(constituents.c.universe == name))
        connection.execute(delete(table).where(table.c.name == name))
        connection.execute(
            insert(table).values(name=name, title=title, source=source, changed_at=datetime.now(UTC))
        )
        for start in range(0, len(members), _CHUNK):
            connection.execute(insert(constituents), members[start : start + _CHUNK])
    return len(members)


def fetch(engine: Engine) -> dict[str, Universe]:
    """Return all universes by name, in the order of lists."""
    with reading(engine) as connection:
        return all_in(connection)


def keys(engine: Engine, name: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> list[str]:
    """Return the keys of a universe's members, by segment and id.

    Raises:
        NotFoundError: there is no such universe.
    """
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        if connection.execute(select(table.c.name).where(table.c.name == name)).first() is None:
            raise NotFoundError("universe", name)
        key = (constituents.c.segment, constituents.c.security_id)
        rows = connection.execute(select(*key).where(constituents.c.universe == name).order_by(*key))
        return [f"{segment}:{security_id}" for segment, security_id in rows]


def all_in(connection: Connection) -> dict[str, Universe]:
    counts = (
        select(constituents.c.universe, func.count().label("members"))
        .group_by(constituents.c.universe)
        .subquery()
    )
    columns = (
        table.c.name,
        table.c.title,
        table.c.source,
        table.c.changed_at,
        func.coalesce(counts.c.members, 0),
    )
    found = [
        Universe(*row)
        for row in connection.execute(select(*columns).outerjoin(counts, counts.c.universe == table.c.name))
    ]
    return {universe.name: universe for universe in sorted(found, key=_place)}


def version_in(connection: Connection) -> tuple[int, datetime | None]:
    """Return the number of universes and the instant of the newest change; another pair means that one was changed,
    made or deleted.
    """
    count, newest = connection.execute(select(func.count(), func.max(table.c.changed_at))).one()
    return count, newest


def _place(universe: Universe) -> tuple[int, str]:
    names = list(TITLES)
    return (names.index(universe.name) if universe.name in names else len(names), universe.title.casefold())
