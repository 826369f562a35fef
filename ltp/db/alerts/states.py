"""What each alert remembers of each instrument, so that a restart neither forgets a touch nor fires one twice.

Written every few seconds and with each firing, read once when a worker begins to lead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, exists, select, tuple_

from ltp.core.instrument import split_key
from ltp.core.money import Price
from ltp.db import on_conflict
from ltp.db.alerts.leaders import leads
from ltp.db.alerts.tables import alert_states as table
from ltp.db.alerts.tables import alerts
from ltp.db.engine import reading, writing

_KEY: Final = ("alert_id", "segment", "security_id")
_VALUES: Final = ("version", "is_armed", "seen_at", "ltp", "fired_at")
_CHUNK: Final = 2_000


class State(NamedTuple):
    """`key`: "" for an alert on no instrument. `version`: of the alert. `is_armed`: its rule was not met since
    the last firing. `seen_at`: the last packet that was judged, None without one; `ltp`: its price.
    """

    alert_id: int
    key: str
    version: int
    is_armed: bool
    seen_at: datetime | None = None
    ltp: Price | None = None
    fired_at: datetime | None = None


def fetch(engine: Engine) -> list[State]:
    """Return the states that are of the present version of their alert."""
    columns = [table.c[name] for name in (*_KEY, *_VALUES)]
    current = select(*columns).join(alerts, alerts.c.id == table.c.alert_id)
    with reading(engine) as connection:
        rows = connection.execute(current.where(alerts.c.version == table.c.version)).all()
    return [State(row.alert_id, key_of(row.segment, row.security_id), *row[3:]) for row in rows]


def store(engine: Engine, states: Sequence[State], *, fence: int) -> bool:
    """Write states, some thousands in a transaction; those of deleted alerts are left out.

    Returns:
        Whether this worker still leads; if not, nothing more is written.
    Raises:
        DatabaseError: some may be written.
    """
    for begin in range(0, len(states), _CHUNK):
        chunk = states[begin : begin + _CHUNK]
        with writing(engine) as connection:
            if not leads(connection, fence):
                return False
            ids = {state.alert_id for state in chunk}
            known = set(connection.execute(select(alerts.c.id).where(alerts.c.id.in_(ids))).scalars())
            write(connection, [state for state in chunk if state.alert_id in known])
    return True


def write(connection: Connection, states: Iterable[State]) -> None:
    """Write states in the caller's transaction; one of a later version of its alert stays."""
    rows = [row_of(state) for state in states]
    if not rows:
        return
    insert = on_conflict.insert(connection, table)
    new = {name: insert.excluded[name] for name in _VALUES}
    older = table.c.version <= insert.excluded.version
    connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=new, where=older), rows)


def prune(engine: Engine, *, most: int = 1_000) -> int:
    """Delete up to `most` states of former versions of their alerts; return how many."""
    present = exists().where(alerts.c.id == table.c.alert_id, alerts.c.version == table.c.version)
    place = [table.c[name] for name in _KEY]
    with writing(engine) as connection:
        old = connection.execute(select(*place).where(~present).limit(most)).all()
        if old:
            connection.execute(delete(table).where(tuple_(*place).in_([tuple(each) for each in old])))
    return len(old)


def row_of(state: State) -> dict[str, Any]:
    segment, security_id = place_of(state.key)
    values = state._asdict()
    values.pop("key")
    return values | {"segment": segment, "security_id": security_id}


def place_of(key: str) -> tuple[str, int]:
    """Return segment and id of a key, ("", 0) without one."""
    return split_key(key) if key else ("", 0)


def key_of(segment: str, security_id: int) -> str:
    return f"{segment}:{security_id}" if segment else ""
