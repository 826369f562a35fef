"""Keys that now mean another instrument, and the deletion of the former instrument's rows.

An import notes a key before it stores the new row, and clears the key after the shares with new ids have
moved. An import that ends in between leaves the note, and the next import clears the key.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, delete, select, update

from ltp.core.instrument import split_key
from ltp.db.alerts import keys as alert_keys
from ltp.db.bars.tables import audit_minutes, bar_refills, feed_subscriptions
from ltp.db.engine import reading
from ltp.db.history.tables import history_instruments, history_sessions
from ltp.db.pins.tables import pins
from ltp.db.schema import (
    bar_audits,
    constituents,
    corporate_actions,
    daily_candles,
    five_minute_bars,
    instrument_names,
    minute_bars,
    screener_rows,
)
from ltp.db.schema import reassignments as table
from ltp.db.watchlists import rekey as lists
from ltp.db.watchlists.tables import watchlist_lines

_TABLES: Final = (
    daily_candles,
    minute_bars,
    five_minute_bars,
    bar_audits,
    audit_minutes,
    bar_refills,
    feed_subscriptions,
    history_sessions,
    history_instruments,
    corporate_actions,
    constituents,
    watchlist_lines,
    instrument_names,
    screener_rows,
    pins,
)


def note(connection: Connection, keys: Iterable[str]) -> None:
    """Note that each key means another instrument from now on, in the caller's transaction."""
    for segment, security_id in map(split_key, keys):
        connection.execute(
            delete(table).where(table.c.segment == segment, table.c.security_id == security_id)
        )
        noted = {"segment": segment, "security_id": security_id, "at": datetime.now(UTC), "cleared": False}
        connection.execute(table.insert().values(noted))


def pending(engine: Engine) -> list[str]:
    """Return the keys that are noted and not cleared."""
    noted = select(table.c.segment, table.c.security_id).where(table.c.cleared.is_(False))
    with reading(engine) as connection:
        return [f"{segment}:{security_id}" for segment, security_id in connection.execute(noted)]


def clear(connection: Connection, keys: Iterable[str]) -> None:
    """Delete candles, bars with coverage and counts, actions, memberships, lines of lists, former names, pins and rows of runs, and end
    the alerts on these keys, in the caller's transaction.
    """
    keys = list(keys)
    alert_keys.clear(connection, keys)
    changed = lists.slugs_with(connection, keys)
    for segment, security_id in map(split_key, keys):
        for each in _TABLES:
            connection.execute(
                delete(each).where(each.c.segment == segment, each.c.security_id == security_id)
            )
        this = (table.c.segment == segment) & (table.c.security_id == security_id)
        connection.execute(update(table).where(this).values(cleared=True))
    lists.touch(connection, changed)


def lately(engine: Engine, within_s: float) -> dict[str, datetime]:
    """Return by key the instant of its note, for notes of the last `within_s` seconds."""
    columns = (table.c.segment, table.c.security_id, table.c.at)
    noted = select(*columns).where(table.c.at > datetime.now(UTC) - timedelta(seconds=within_s))
    with reading(engine) as connection:
        return {f"{segment}:{security_id}": at for segment, security_id, at in connection.execute(noted)}
