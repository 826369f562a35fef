"""The stored one-minute bars counted by session, and their blocks as counting needs them. Days are numbers as of
`trading_day.days_since_1970`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, select, tuple_

from ltp.core.history.candle import day_number
from ltp.core.instrument import split_key
from ltp.core.trading_day import days_since_1970
from ltp.db import on_conflict
from ltp.db.engine import reading
from ltp.db.history.tables import history_sessions as table
from ltp.db.schema import bar_audits, minute_bars

_KEY: Final = ("segment", "security_id", "day")
_DAYS_AT_ONCE: Final = 400


class Session(NamedTuple):
    """The bars of a session by source. `bytes`: of their blocks. `crc`: changes with any of the blocks."""

    live: int
    broker: int
    file: int
    bytes: int
    crc: int

    @property
    def bars(self) -> int:
        return self.live + self.broker + self.file


Blocks = dict[int, list[tuple[int, bytes]]]


def stored_keys(engine: Engine) -> list[str]:
    """Return the instruments that have bars, or counts of bars that are gone, by segment and id."""
    with reading(engine) as connection:
        found = {
            (segment, security_id)
            for each in (minute_bars, table)
            for segment, security_id in connection.execute(
                select(each.c.segment, each.c.security_id).distinct()
            )
        }
    return [f"{segment}:{security_id}" for segment, security_id in sorted(found)]


def blocks_in(connection: Connection, keys: Collection[str]) -> dict[str, Blocks]:
    """Return start and content of each block by key and day, oldest first. `keys`: a few hundred at most."""
    found: dict[str, Blocks] = {}
    # Sorted here: SQLite would copy all blocks into a table for it.
    for row in connection.execute(select(minute_bars).where(_named(minute_bars, keys))):
        days = found.setdefault(f"{row[0]}:{row[1]}", {})
        days.setdefault(days_since_1970(row[2]), []).append((row[2], bytes(row[3])))
    for days in found.values():
        for blocks in days.values():
            blocks.sort()
    return found


def counted_in(connection: Connection, keys: Collection[str]) -> dict[str, dict[int, Session]]:
    """Return the counts as they were stored last, by key and day."""
    found: dict[str, dict[int, Session]] = {}
    for segment, security_id, day, *sums in connection.execute(select(table).where(_named(table, keys))):
        found.setdefault(f"{segment}:{security_id}", {})[day] = Session(*sums)
    return found


def settled_in(connection: Connection, keys: Collection[str]) -> dict[str, set[int]]:
    """Return by key the sessions of which the broker's bars were fetched after their end."""
    audits = bar_audits.c
    wanted = select(audits.segment, audits.security_id, audits.day).where(
        _named(bar_audits, keys), audits.is_final
    )
    found: dict[str, set[int]] = {}
    for segment, security_id, day in connection.execute(wanted):
        found.setdefault(f"{segment}:{security_id}", set()).add(day_number(day))
    return found


def write(
    connection: Connection, changed: Mapping[tuple[str, int], Session], gone: Iterable[tuple[str, int]]
) -> None:
    """Store counts by key and day, and delete those of sessions that are no longer stored."""
    rows: list[dict[str, Any]] = [
        {**_place(key, day), **sums._asdict()} for (key, day), sums in sorted(changed.items())
    ]
    if rows:
        insert = on_conflict.insert(connection, table)
        sums = {name: insert.excluded[name] for name in Session._fields}
        connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=sums), rows)
    places = [(*split_key(key), day) for key, day in gone]
    whole = tuple_(*(table.c[name] for name in _KEY))
    for begin in range(0, len(places), _DAYS_AT_ONCE):
        connection.execute(delete(table).where(whole.in_(places[begin : begin + _DAYS_AT_ONCE])))


def _place(key: str, day: int) -> dict[str, Any]:
    segment, security_id = split_key(key)
    return {"segment": segment, "security_id": security_id, "day": day}


def _named(of: Any, keys: Collection[str]) -> Any:
    pairs: Sequence[tuple[str, int]] = [split_key(key) for key in keys]
    return tuple_(of.c.segment, of.c.security_id).in_(pairs)
