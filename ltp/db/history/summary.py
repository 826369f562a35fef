"""What is stored of each instrument and of each list, as it was counted last: pages never read the bars for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Select, Subquery, and_, delete, func, select, tuple_

from ltp.core.instrument import split_key
from ltp.db import on_conflict
from ltp.db.engine import BUSY_TIMEOUT_MS, reading
from ltp.db.history.tables import history_instruments as table
from ltp.db.schema import constituents, instruments

MINUTES, DAYS = "1m", "1d"
TIMEFRAMES: Final = (MINUTES, DAYS)
EVERYTHING: Final = "everything"  # in place of a universe: all instruments with bars or candles
SORTS: Final = ("symbol", "missing", "covered", "from", "to", "bars", "bytes")
SOURCES: Final = ("live", "broker", "file", "official")
_KEY: Final = ("segment", "security_id", "timeframe")
_AT_ONCE: Final = 400


class Stored(NamedTuple):
    """What is stored of an instrument in a timeframe.

    `expected`: sessions of the calendar since the first day that are over; `missing` of them have no bar, `thin`
    far fewer bars than minutes. `gap_days`: the newest of both as text. `bars`, and of them `live`, `broker`,
    `file`, `official`: by source. `bytes`: in the database. `made_at`: when they were counted.
    """

    key: str
    timeframe: str
    first_day: date
    last_day: date
    expected: int
    missing: int
    thin: int
    gap_days: str
    bars: int
    live: int
    broker: int
    file: int
    official: int
    bytes: int
    made_at: datetime


class OfList(NamedTuple):
    """The sums of a list's instruments in a timeframe; the fields as of `Stored`. `instruments`: with any bar.
    `made_at`: when the oldest of the figures was counted.
    """

    instruments: int
    first_day: date
    last_day: date
    expected: int
    missing: int
    thin: int
    bars: int
    live: int
    broker: int
    file: int
    official: int
    bytes: int
    made_at: datetime


class Member(NamedTuple):
    """An instrument of a list. `symbol`: "" if the instrument master lacks it. `stored`: None without a bar."""

    key: str
    symbol: str
    stored: Stored | None


def write_in(connection: Connection, rows: Sequence[Stored]) -> None:
    """Store the figures of instruments in place of those before."""
    if not rows:
        return
    values = [_values(row) for row in rows]
    insert = on_conflict.insert(connection, table)
    updated = {
        column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key
    }
    connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=updated), values)


def delete_in(connection: Connection, timeframe: str, keys: Collection[str]) -> None:
    """Delete the figures of instruments that have no bar any more."""
    places = [(*split_key(key), timeframe) for key in keys]
    for begin in range(0, len(places), _AT_ONCE):
        some = places[begin : begin + _AT_ONCE]
        connection.execute(delete(table).where(tuple_(*(table.c[name] for name in _KEY)).in_(some)))


def keys_in(connection: Connection, timeframe: str) -> set[str]:
    """Return the instruments that have figures."""
    wanted = select(table.c.segment, table.c.security_id).where(table.c.timeframe == timeframe)
    return {f"{segment}:{security_id}" for segment, security_id in connection.execute(wanted)}


def of_lists(engine: Engine, timeframe: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> dict[str, OfList]:
    """Return the sums by universe; lists without a bar are absent."""
    wanted = (
        select(constituents.c.universe, *_sums())
        .join(table, _of(constituents))
        .where(table.c.timeframe == timeframe)
        .group_by(constituents.c.universe)
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return {name: _of_list(row) for name, *row in connection.execute(wanted)}


def of_everything(engine: Engine, timeframe: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> OfList | None:
    """Return the sums of all instruments, None where nothing is stored."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        row = connection.execute(select(*_sums()).where(table.c.timeframe == timeframe)).one()
    return _of_list(row) if row[0] else None


def members(
    engine: Engine,
    universe: str,
    timeframe: str,
    *,
    sort: str,
    descending: bool,
    first: int,
    most: int,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> tuple[int, list[Member]]:
    """Return how many instruments a list has, and `most` of them from the one numbered `first` (from 0) on.

    Args:
        sort: one of SORTS. Instruments without a bar come first by missing sessions, and last by all else but the symbol.
    """
    base = _members(universe, timeframe).subquery()
    bare = base.c.first_day.is_(None)
    missing = base.c.missing + base.c.thin
    key = {
        "symbol": base.c.symbol,
        "missing": missing,
        "covered": (base.c.expected - missing) * 1.0 / func.nullif(base.c.expected, 0),
        "from": base.c.first_day,
        "to": base.c.last_day,
        "bars": base.c.bars,
        "bytes": base.c.bytes,
    }[sort]
    order: list[Any] = [bare.desc() if sort == "missing" and descending else bare] if sort != "symbol" else []
    order += [key.desc() if descending else key, base.c.symbol, base.c.segment, base.c.security_id]
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        count = connection.execute(select(func.count()).select_from(_listed(universe))).scalar_one()
        rows = connection.execute(select(base).order_by(*order).offset(first).limit(most)).all()
    return int(count), [_member(row, timeframe) for row in rows]


def _members(universe: str, timeframe: str) -> Select[Any]:
    columns = [table.c[name] for name in Stored._fields if name not in ("key", "timeframe")]
    symbol = func.coalesce(instruments.c.symbol, "").label("symbol")
    listed = _listed(universe)
    return (
        select(listed.c.segment, listed.c.security_id, symbol, *columns)
        .select_from(listed)
        .outerjoin(table, _of(listed) & (table.c.timeframe == timeframe))
        .outerjoin(
            instruments,
            and_(
                instruments.c.segment == listed.c.segment, instruments.c.security_id == listed.c.security_id
            ),
        )
    )


def _listed(universe: str) -> Subquery:
    if universe == EVERYTHING:
        return select(table.c.segment, table.c.security_id).distinct().subquery()
    members = constituents.c
    return select(members.segment, members.security_id).where(members.universe == universe).subquery()


def _of(other: Any) -> Any:
    return and_(table.c.segment == other.c.segment, table.c.security_id == other.c.security_id)


def _sums() -> list[Any]:
    added = ("expected", "missing", "thin", "bars", *SOURCES, "bytes")
    return [
        func.count(),
        func.min(table.c.first_day),
        func.max(table.c.last_day),
        *(func.sum(table.c[name]) for name in added),
        func.min(table.c.made_at),
    ]


def _of_list(row: Sequence[Any]) -> OfList:
    values = dict(zip(OfList._fields, row, strict=True))
    sums = {name: int(values[name]) for name in ("expected", "missing", "thin", "bars", *SOURCES, "bytes")}
    return OfList(**{**values, **sums})  # PostgreSQL adds whole numbers up to decimals


def _member(row: Any, timeframe: str) -> Member:
    segment, security_id, symbol, *rest = row
    key = f"{segment}:{security_id}"
    return Member(key, symbol, Stored(key, timeframe, *rest) if rest[0] else None)


def _values(row: Stored) -> dict[str, Any]:
    segment, security_id = split_key(row.key)
    values = row._asdict()
    del values["key"]
    return {"segment": segment, "security_id": security_id, **values}
