"""Daily candles in SQL: one row for a year of an instrument, as packed records of `core.history.candle`.

Imports write them, screens read them whole. Raw and adjusted candles are rows of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, Engine, Select, delete, func, select

from ltp.core.history import candle
from ltp.core.history.candle import RECORD, Candle
from ltp.core.instrument import split_key
from ltp.db import candle_source, on_conflict
from ltp.db.engine import reading, writing
from ltp.db.schema import candle_days, daily_candles

# raw: as traded, from the exchange's files. adjusted: as the broker restated it for later splits and bonuses.
Basis = Literal["raw", "adjusted"]
BASES: Final[tuple[Basis, ...]] = ("raw", "adjusted")

_KEY: Final = ("segment", "security_id", "basis", "year")
# Past this many keys the query reads all instruments and the rows are filtered here: cheaper than a long IN,
# and databases limit the number of parameters.
_MAX_KEYS_IN_QUERY: Final = 400


class CandleDay(NamedTuple):
    """A session whose candles were imported.

    `source`: the file's name or the broker. `instruments`: the number of instruments with a candle.
    """

    day: date
    source: str
    instruments: int
    imported_at: datetime


class SessionsVersion(NamedTuple):
    """Three values that together change with every import."""

    newest: date | None
    changed_at: datetime | None
    sessions: int


def upsert(
    engine: Engine, basis: Basis, candles: Mapping[str, Iterable[Candle]], *, simulated: bool = False
) -> int:
    """Store candles by key in one transaction. A stored candle of the same day is replaced, other days stay.

    Args:
        simulated: of the simulated exchange; real candles replace these, see `candle_source.claim`.
    Returns:
        How many candles are new or differ from the stored ones.
    Raises:
        DatabaseError: nothing is stored; also if simulated candles would join real ones.
    """
    packed = {key: candle.pack(each) for key, each in candles.items()}
    with writing(engine) as connection:
        if any(packed.values()):
            candle_source.claim(connection, simulated=simulated)
        return sum(upsert_packed(connection, basis, packed).values())


def upsert_packed(connection: Connection, basis: Basis, packed: Mapping[str, bytes]) -> dict[str, int]:
    """As `upsert`, for packed records in order of days, in the transaction of a caller with a claim.

    Returns:
        How many candles changed, by key; keys without a change are absent.
    """
    parts = {
        (key, year): part for key, records in packed.items() for year, part in candle.by_year(records).items()
    }
    if not parts:
        return {}
    years = [year for _, year in parts]
    rows_of_years = _rows(connection, basis, list(packed), min(years), max(years))
    stored = {(key, year): old for key, year, old in rows_of_years if (key, year) in parts}
    changed: dict[str, int] = {}
    rows = []
    for (key, year), part in sorted(parts.items()):
        old = stored.get((key, year), b"")
        old = old[: len(old) // RECORD.size * RECORD.size]  # an incomplete last record is dropped
        merged = candle.merge(old, part)
        if merged != old:
            changed[key] = changed.get(key, 0) + candle.count_changed(old, part)
            rows.append(_row(key, basis, year, merged))
    if rows:
        insert = on_conflict.insert(connection, daily_candles)
        connection.execute(
            insert.on_conflict_do_update(index_elements=_KEY, set_={"packed": insert.excluded.packed}), rows
        )
    return changed


def replace(
    engine: Engine, basis: Basis, key: str, candles: Iterable[Candle], *, simulated: bool = False
) -> None:
    """Replace the whole stored history of an instrument. `simulated`: as in `upsert`."""
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=simulated)
        _delete(connection, key, basis)
        upsert_packed(connection, basis, {key: candle.pack(candles)})


def move(connection: Connection, old_key: str, key: str) -> bool:
    """Move the raw candles of `old_key` to `key`, in the caller's transaction. Return whether there were any.

    On days that both have, the candle of `key` stays.
    """
    old = b"".join(
        packed for _, _, packed in _rows(connection, "raw", [old_key], date.min.year, date.max.year)
    )
    if not old:
        return False
    new = b"".join(packed for _, _, packed in _rows(connection, "raw", [key], date.min.year, date.max.year))
    upsert_packed(connection, "raw", {key: candle.merge(old, new)})
    _delete(connection, old_key, "raw")
    return True


def fetch_packed(
    engine: Engine, basis: Basis, keys: Collection[str] | None, first_day: date, last_day: date
) -> dict[str, bytes]:
    """Return the records from `first_day` to `last_day`, both included, by key.

    Keys without a candle in that time are absent. `keys` None: all instruments.
    """
    years: dict[str, list[bytes]] = {}
    with reading(engine) as connection:
        for key, year, packed in _rows(connection, basis, keys, first_day.year, last_day.year):
            if year in (first_day.year, last_day.year):
                packed = candle.between(packed, first_day, last_day)
            if packed:
                years.setdefault(key, []).append(packed)
    return {key: b"".join(parts) for key, parts in years.items()}


def fetch(engine: Engine, basis: Basis, key: str) -> list[Candle]:
    """Return the whole history of an instrument, oldest first, without years that end in half a record."""
    with reading(engine) as connection:
        years = [packed for _, _, packed in _rows(connection, basis, [key], date.min.year, date.max.year)]
    return [each for packed in years if len(packed) % RECORD.size == 0 for each in candle.unpack(packed)]


def beginnings(engine: Engine, basis: Basis, count: int) -> dict[str, bytes]:
    """Return the first `count` records of each instrument."""
    table = daily_candles.c
    start = func.substr(table.packed, 1, count * RECORD.size)
    by_year = (
        select(table.segment, table.security_id, start)
        .where(table.basis == basis)
        .order_by(table.segment, table.security_id, table.year)
    )
    found: dict[str, bytes] = {}
    with reading(engine) as connection:
        for segment, security_id, packed in connection.execute(by_year):
            key = f"{segment}:{security_id}"
            whole = bytes(packed)[: len(packed) // RECORD.size * RECORD.size]
            found[key] = (found.get(key, b"") + whole)[: count * RECORD.size]
    return found


def last_days(engine: Engine, basis: Basis) -> dict[str, date]:
    """Return by key the newest day with a candle.

    Years that end in half a record do not count, so that the caller fetches them again.
    """
    table = daily_candles.c
    # The day is the first field of the last record: the query returns these four bytes, not the whole year.
    newest = func.substr(table.packed, func.length(table.packed) - RECORD.size + 1, 4)
    whole = func.length(table.packed) % RECORD.size == 0
    by_year = (
        select(table.segment, table.security_id, newest)
        .where(table.basis == basis, whole)
        .order_by(table.year)
    )
    with reading(engine) as connection:
        return {
            f"{segment}:{security_id}": candle.day_of(int.from_bytes(bytes(day), "little", signed=True))
            for segment, security_id, day in connection.execute(by_year)
        }


def note_day(connection: Connection, day: date, source: str, instruments: int) -> None:
    """Record that the candles of a session were imported, in the caller's transaction.

    A record of more instruments stays: after the whole market, a file of one index must not replace it.
    """
    insert = on_conflict.insert(connection, candle_days)
    updated = {name: insert.excluded[name] for name in ("source", "instruments", "imported_at")}
    has_more = candle_days.c.instruments < insert.excluded.instruments
    values = {"day": day, "source": source, "instruments": instruments, "imported_at": datetime.now(UTC)}
    connection.execute(
        insert.on_conflict_do_update(index_elements=["day"], set_=updated, where=has_more), values
    )


def days(engine: Engine) -> list[CandleDay]:
    """Return the imported sessions, oldest first."""
    with reading(engine) as connection:
        return [
            CandleDay(*row) for row in connection.execute(select(candle_days).order_by(candle_days.c.day))
        ]


def first_day(engine: Engine) -> date | None:
    """Return the oldest day with a candle of any instrument, None while there is none."""
    table = daily_candles.c
    oldest = select(func.min(table.year)).scalar_subquery()
    firsts = select(func.substr(table.packed, 1, 4)).where(table.year == oldest)
    with reading(engine) as connection:
        numbers = [int.from_bytes(bytes(day), "little", signed=True) for (day,) in connection.execute(firsts)]
    return min(map(candle.day_of, numbers), default=None)


def newest_day(engine: Engine) -> date | None:
    """Return the newest imported session, None while there is none."""
    with reading(engine) as connection:
        day: date | None = connection.execute(select(func.max(candle_days.c.day))).scalar()
    return day


def version_in(connection: Connection) -> SessionsVersion:
    """Return a value that changes whenever a session, or more of one, is imported; one cheap query."""
    table = candle_days.c
    return SessionsVersion(
        *connection.execute(select(func.max(table.day), func.max(table.imported_at), func.count())).one()
    )


def _rows(
    connection: Connection, basis: Basis, keys: Collection[str] | None, first_year: int, last_year: int
) -> Iterator[tuple[str, int, bytes]]:
    """Yield key, year and records, ordered by instrument and year."""
    table = daily_candles.c
    statement = (
        select(table.segment, table.security_id, table.year, table.packed)
        .where(table.basis == basis, table.year.between(first_year, last_year))
        .order_by(table.segment, table.security_id, table.year)
    )
    wanted = None if keys is None else frozenset(keys)
    for segment, security_id, year, packed in connection.execute(where_keys(statement, wanted)):
        key = f"{segment}:{security_id}"
        if wanted is None or key in wanted:
            yield key, year, bytes(packed)


def where_keys(statement: Select[Any], keys: frozenset[str] | None) -> Select[Any]:
    """Narrow a query of `daily_candles` to few keys; the caller skips the rows of others."""
    if keys is None or len(keys) > _MAX_KEYS_IN_QUERY:
        return statement
    segments, ids = zip(*map(split_key, keys), strict=True) if keys else ((), ())
    columns = daily_candles.c
    return statement.where(columns.segment.in_(set(segments)), columns.security_id.in_(set(ids)))


def _delete(connection: Connection, key: str, basis: Basis) -> None:
    segment, security_id = split_key(key)
    table = daily_candles.c
    this = (table.segment == segment) & (table.security_id == security_id) & (table.basis == basis)
    connection.execute(delete(daily_candles).where(this))


def _row(key: str, basis: Basis, year: int, packed: bytes) -> dict[str, Any]:
    segment, security_id = split_key(key)
    return {"segment": segment, "security_id": security_id, "basis": basis, "year": year, "packed": packed}
