"""Moving the rows of a share to its new id.

DhanHQ's id belongs to a symbol and its series: a share that the exchange moves from series EQ to BE, or back,
gets another id. Its ISIN shows that it is the same share.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from ltp.core.instrument import split_key
from ltp.db import candles
from ltp.db.alerts import keys as alert_keys
from ltp.db.bars.tables import audit_minutes, bar_refills, feed_subscriptions
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
)
from ltp.db.watchlists import rekey as lists
from ltp.db.watchlists.tables import watchlist_lines


def move(connection: Connection, old: str, new: str) -> None:
    """Move candles, bars with audits and coverage, corporate actions, memberships, former names, pin and alerts to
    another key of the same segment.

    Rows that the new key has already stay: its candle or action of the same day, its place in a universe. What was
    counted of both keys is deleted; the next count makes it anew.
    """
    _move_candles(connection, old, new)
    _move_rows(connection, minute_bars, "start", old, new)
    _move_rows(connection, five_minute_bars, "start", old, new)
    _move_rows(connection, bar_audits, "day", old, new)
    _move_rows(connection, audit_minutes, "start", old, new)
    _move_rows(connection, bar_refills, "day", old, new)
    _move_rows(connection, feed_subscriptions, "start", old, new)
    for counts in (history_sessions, history_instruments):
        connection.execute(delete(counts).where(_has_key(counts, old) | _has_key(counts, new)))
    _move_rows(connection, corporate_actions, "ex_day", old, new)
    _move_rows(connection, constituents, "universe", old, new)
    changed = lists.slugs_with(connection, [old])
    _move_rows(connection, watchlist_lines, "slug", old, new)
    lists.touch(connection, changed)
    _move_rows(connection, instrument_names, "name", old, new)
    alert_keys.move(connection, old, new)
    _move_rows(connection, pins, "segment", old, new)


def _move_candles(connection: Connection, old: str, new: str) -> None:
    table = daily_candles
    for basis in candles.BASES:
        own = _packed(connection, new, basis)
        candles.upsert_packed(connection, basis, {new: _packed(connection, old, basis)})
        candles.upsert_packed(connection, basis, {new: own})
    connection.execute(delete(table).where(_has_key(table, old)))


def _packed(connection: Connection, key: str, basis: str) -> bytes:
    table = daily_candles
    years = select(table.c.packed).where(_has_key(table, key), table.c.basis == basis).order_by(table.c.year)
    return b"".join(bytes(packed) for packed in connection.execute(years).scalars())


def _move_rows(connection: Connection, table: Table, unique: str, old: str, new: str) -> None:
    """Move rows, except those whose column `unique` has a value that a row of the new key has."""
    taken = connection.execute(select(table.c[unique]).where(_has_key(table, new))).scalars().all()
    free = _has_key(table, old) & table.c[unique].not_in(taken)
    connection.execute(update(table).where(free).values(security_id=split_key(new)[1]))
    connection.execute(delete(table).where(_has_key(table, old)))


def _has_key(table: Table, key: str) -> Any:
    segment, security_id = split_key(key)
    return (table.c.segment == segment) & (table.c.security_id == security_id)
