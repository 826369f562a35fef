"""Recent candles for web processes: queries bounded in rows and in bytes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

from sqlalchemy import Connection, Engine, case, func, select

from ltp.core.history import candle
from ltp.core.history.candle import RECORD, prefers_adjusted
from ltp.core.history.extremes import Ends, ends_of
from ltp.core.instrument import split_key
from ltp.db import corporate_actions
from ltp.db.candles import BASES, Basis, where_keys
from ltp.db.engine import BUSY_TIMEOUT_MS, reading
from ltp.db.schema import daily_candles

_MAX_YEARS: Final = 8  # rows: four years of an instrument that has both bases


def fetch_since(
    engine: Engine,
    basis: Basis,
    keys: Collection[str],
    first_day: date,
    newest: date,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> dict[str, bytes]:
    """Return the records from `first_day` on by key; keys without any are absent.

    The query returns only the end of each year's records.

    Args:
        newest: the last day that may have records.
    """
    table = daily_candles.c
    max_bytes = max(1, (newest - first_day).days + 1) * RECORD.size
    start = case((func.length(table.packed) > max_bytes, func.length(table.packed) - max_bytes + 1), else_=1)
    statement = (
        select(table.segment, table.security_id, func.length(table.packed), func.substr(table.packed, start))
        .where(table.basis == basis, table.year >= first_day.year)
        .order_by(table.segment, table.security_id, table.year)
    )
    wanted, found = frozenset(keys), dict[str, bytes]()
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        for segment, security_id, length, packed in connection.execute(where_keys(statement, wanted)):
            key = f"{segment}:{security_id}"
            if key in wanted and length % RECORD.size == 0:  # the end of a damaged year is no record
                found[key] = found.get(key, b"") + candle.between(bytes(packed), first_day, date.max)
    return {key: packed for key, packed in found.items() if packed}


def ends_since(
    engine: Engine,
    keys: Collection[str],
    first_day: date,
    newest: date,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> dict[str, Ends]:
    """Return the lowest and highest price from `first_day` on by key, adjusted for splits.

    Of the basis that charts take, see `chart_closes.fetch_candles`. Keys without candles, or with damaged ones,
    are absent.
    """
    raw, restated = (
        fetch_since(engine, basis, keys, first_day, newest, busy_timeout_ms=busy_timeout_ms)
        for basis in BASES
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        actions = corporate_actions.since(connection, first_day)
    found: dict[str, Ends | None] = {}
    for key in raw.keys() | restated.keys():
        own, published = raw.get(key, b""), restated.get(key, b"")
        try:
            if prefers_adjusted(own, published):
                found[key] = ends_of(published)
            else:
                found[key] = ends_of(own, actions.get(key, ()))
        except ValueError:
            continue
    return {key: ends for key, ends in found.items() if ends is not None}


def newest_years(connection: Connection, key: str) -> tuple[bytes, bytes]:
    """Return the raw and the adjusted records of an instrument in its last years."""
    segment, security_id = split_key(key)
    table = daily_candles.c
    this = (table.segment == segment) & (table.security_id == security_id)
    newest = (
        select(table.basis, table.packed)
        .where(this)
        .order_by(table.year.desc(), table.basis)
        .limit(_MAX_YEARS)
    )
    found = dict.fromkeys(BASES, b"")
    for basis, packed in connection.execute(newest):
        found[basis] = bytes(packed) + found[basis]
    return found["raw"], found["adjusted"]
