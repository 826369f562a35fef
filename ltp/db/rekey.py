"""A share that gets another id: what is kept under the old one follows it.

An id belongs to a symbol and its series, so a share that the exchange moves from series EQ to BE, or back, is
another instrument to the broker and the same one to whoever holds it. Its ISIN says so.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from ltp.core.instrument import split_key
from ltp.db import candles
from ltp.db.schema import constituents, corporate_actions, daily_candles, instrument_names


def move(connection: Connection, old: str, new: str) -> None:
    """Move candles, corporate actions, memberships and former names from one key to another of the same
    segment.

    Where the new one has something of its own, that stays: of a day's candle, a day's action, a universe.
    """
    _candles(connection, old, new)
    _rows(connection, corporate_actions, "ex_day", old, new)
    _rows(connection, constituents, "universe", old, new)
    _rows(connection, instrument_names, "name", old, new)


def _candles(connection: Connection, old: str, new: str) -> None:
    table = daily_candles
    for basis in candles.BASES:
        own = _own(connection, new, basis)
        candles.upsert_packed(connection, basis, {new: _own(connection, old, basis)})
        candles.upsert_packed(connection, basis, {new: own})
    connection.execute(delete(table).where(_of(table, old)))


def _own(connection: Connection, key: str, basis: str) -> bytes:
    table = daily_candles
    years = select(table.c.packed).where(_of(table, key), table.c.basis == basis).order_by(table.c.year)
    return b"".join(bytes(packed) for packed in connection.execute(years).scalars())


def _rows(connection: Connection, table: Table, beside: str, old: str, new: str) -> None:
    taken = connection.execute(select(table.c[beside]).where(_of(table, new))).scalars().all()
    free = _of(table, old) & table.c[beside].not_in(taken)
    connection.execute(update(table).where(free).values(security_id=split_key(new)[1]))
    connection.execute(delete(table).where(_of(table, old)))


def _of(table: Table, key: str) -> Any:
    segment, security_id = split_key(key)
    return (table.c.segment == segment) & (table.c.security_id == security_id)
