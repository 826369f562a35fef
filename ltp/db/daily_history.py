"""A stretch of the daily candles of one instrument, of any age, in one of the two bases."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, select

from ltp.core.history import candle
from ltp.core.history.candle import RECORD, Candle, prefers_adjusted
from ltp.core.history.price_history import candles_of
from ltp.core.instrument import split_key
from ltp.db import corporate_actions, recent_candles
from ltp.db.candles import Basis
from ltp.db.engine import reading
from ltp.db.schema import daily_candles

_BUSY_TIMEOUT_MS: Final = 50  # waiting blocks all greenlets of a web process


class Wanted(NamedTuple):
    """Days from `first` to `last`, both included, and at most how many candles of them.

    `newest`: whether the newest candles are kept where there are more, else the oldest.
    """

    first: date
    last: date
    most: int
    newest: bool


class History(NamedTuple):
    """Candles, oldest first.

    `basis`: the stored series that they are made of. `adjusted`: whether they are adjusted for splits, by
    their publisher or here. `last`: the newest stored day of the series, None if it is empty.
    """

    candles: list[Candle]
    basis: Basis
    adjusted: bool
    last: date | None


def fetch(engine: Engine, key: str, wanted: Wanted, *, adjusted: bool) -> History:
    """Return candles of an instrument.

    The basis does not depend on the days, so that the pages of one history are of one basis.

    Args:
        adjusted: as in `chart_closes.fetch_candles`: the adjusted series or the raw one adjusted for confirmed
            splits, without the days before a suspected one. Else the raw series as it is, or the adjusted one
            if no raw one is stored.
    Raises:
        DatabaseError: also if the database is locked for more than 50 ms.
        ValueError: the stored records are damaged.
    """
    with reading(engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
        raw, restated = map(_whole, recent_candles.newest_years(connection, key))
        takes_restated = bool(restated) and (prefers_adjusted(raw, restated) if adjusted else not raw)
        basis: Basis = "adjusted" if takes_restated else "raw"
        actions = corporate_actions.of_key(connection, key) if adjusted and basis == "raw" else []
        # The count is of candles that are returned, so the days that a suspected split hides go before it.
        first = max([wanted.first, *(each.ex_day for each in actions if each.waits)])
        packed = _records(connection, basis, key, wanted._replace(first=first))
    last = candle.last_day(restated if takes_restated else raw)
    return History(candles_of(packed, actions), basis, adjusted or takes_restated, last)


def _records(connection: Connection, basis: Basis, key: str, wanted: Wanted) -> bytes:
    """Return records in order. Years are read until there are enough."""
    segment, security_id = split_key(key)
    table = daily_candles.c
    this = (table.segment == segment) & (table.security_id == security_id) & (table.basis == basis)
    years = (
        select(table.packed)
        .where(this, table.year.between(wanted.first.year, wanted.last.year))
        .order_by(table.year.desc() if wanted.newest else table.year)
    )
    most = wanted.most * RECORD.size
    parts = _enough((bytes(packed) for (packed,) in connection.execute(years)), wanted, most)
    return b"".join(reversed(parts))[-most:] if wanted.newest else b"".join(parts)[:most]


def _enough(years: Iterable[bytes], wanted: Wanted, most: int) -> list[bytes]:
    parts, length = [], 0
    for packed in years:
        parts.append(candle.between(_whole(packed), wanted.first, wanted.last))
        length += len(parts[-1])
        if length >= most:
            break
    return parts


def _whole(packed: bytes) -> bytes:
    if len(packed) % RECORD.size:
        raise ValueError("a torn record")
    return packed
