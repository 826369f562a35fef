"""Daily candles in SQL: a year of an instrument in one row of packed records, raw and adjusted apart.

Written by imports, read whole by screens. What a record means is `core.history.candle`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, Engine, Select, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from ltp.core.history import candle
from ltp.core.history.candle import RECORD, Candle
from ltp.core.instrument import split_key
from ltp.db import candle_source
from ltp.db.engine import PATIENCE_MS, reading, writing
from ltp.db.schema import candle_days, daily_candles

# raw: as traded, from the exchange's files. adjusted: as the broker restated it for every split and bonus
# since.
Basis = Literal["raw", "adjusted"]
BASES: Final[tuple[Basis, ...]] = ("raw", "adjusted")

_KEY: Final = ("segment", "security_id", "basis", "year")
_MOST_YEARS: Final = 8  # rows: four years where there are both bases
_NAMED_KEYS: Final = (
    400  # more are read with everything else and picked out here: cheaper than naming them, and no limit
)


class CandleDay(NamedTuple):
    """A day of which candles were imported. `source`: the file's name or the broker; `instruments`: how many
    had one.
    """

    day: date
    source: str
    instruments: int
    imported_at: datetime


class SessionsMark(NamedTuple):
    """Which sessions there are, told by three numbers."""

    newest: date | None
    changed_at: datetime | None
    sessions: int


def upsert(
    engine: Engine, basis: Basis, candles: Mapping[str, Iterable[Candle]], *, simulated: bool = False
) -> int:
    """Store candles by key; a day that is there already is replaced, other days stay. All of it or nothing.

    Args:
        simulated: whose they are; real ones take the place of simulated ones, see `candle_source.claim`.
    Returns:
        How many candles are new or differ from what was there.
    Raises:
        DatabaseError: nothing is stored; also where simulated ones would join real ones.
    """
    packed = {key: candle.pack(each) for key, each in candles.items()}
    with writing(engine) as connection:
        if any(packed.values()):
            candle_source.claim(connection, simulated=simulated)
        return sum(upsert_packed(connection, basis, packed).values())


def upsert_packed(connection: Connection, basis: Basis, packed: Mapping[str, bytes]) -> dict[str, int]:
    """As `upsert`, of packed records in the order of days, inside the caller's transaction, which has claimed
    the database.

    Returns:
        How many candles changed, by key; keys of which none did are absent.
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
        old = old[
            : len(old) // RECORD.size * RECORD.size
        ]  # a torn record is replaced by what is imported now, if it is
        merged = candle.merge(old, part)
        if merged != old:
            changed[key] = changed.get(key, 0) + candle.count_changed(old, part)
            rows.append(_row(key, basis, year, merged))
    if rows:
        insert = _insert(connection, daily_candles)
        connection.execute(
            insert.on_conflict_do_update(index_elements=_KEY, set_={"packed": insert.excluded.packed}), rows
        )
    return changed


def replace(
    engine: Engine, basis: Basis, key: str, candles: Iterable[Candle], *, simulated: bool = False
) -> None:
    """Store the whole history of an instrument in place of what was there. `simulated`: as in `upsert`."""
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=simulated)
        _delete(connection, key, basis)
        upsert_packed(connection, basis, {key: candle.pack(candles)})


def move(connection: Connection, old_key: str, key: str) -> bool:
    """Put what an instrument traded as `old_key` into its history as traded under `key`, inside the caller's
    transaction.

    A day that both have stays as `key` has it. Tells whether there was anything.
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
    """Return the records from `first_day` to `last_day`, both included, by key; every instrument's when
    `keys` is None.

    Keys without any candle in that time are absent.
    """
    years: dict[str, list[bytes]] = {}
    with reading(engine) as connection:
        for key, year, packed in _rows(connection, basis, keys, first_day.year, last_day.year):
            if year in (first_day.year, last_day.year):
                packed = candle.between(packed, first_day, last_day)
            if packed:
                years.setdefault(key, []).append(packed)
    return {key: b"".join(parts) for key, parts in years.items()}


def fetch_since(
    engine: Engine,
    basis: Basis,
    keys: Collection[str],
    first_day: date,
    newest: date,
    *,
    patience_ms: int = PATIENCE_MS,
) -> dict[str, bytes]:
    """Return the records from `first_day` on by key; keys without any are absent. Only the last part of a
    year is taken out.

    Args:
        newest: the last day that there may be records of.
    """
    table = daily_candles.c
    most = max(1, (newest - first_day).days + 1) * RECORD.size
    start = case((func.length(table.packed) > most, func.length(table.packed) - most + 1), else_=1)
    wanted = (
        select(table.segment, table.security_id, func.length(table.packed), func.substr(table.packed, start))
        .where(table.basis == basis, table.year >= first_day.year)
        .order_by(table.segment, table.security_id, table.year)
    )
    picked, found = frozenset(keys), dict[str, bytes]()
    with reading(engine, patience_ms=patience_ms) as connection:
        for segment, security_id, length, packed in connection.execute(_narrowed(wanted, picked)):
            key = f"{segment}:{security_id}"
            if key in picked and length % RECORD.size == 0:  # the end of a damaged year is no record
                found[key] = found.get(key, b"") + candle.between(bytes(packed), first_day, date.max)
    return {key: packed for key, packed in found.items() if packed}


def fetch(engine: Engine, basis: Basis, key: str) -> list[Candle]:
    """Return the whole history of an instrument, oldest first; a year that is torn is left out."""
    with reading(engine) as connection:
        years = [packed for _, _, packed in _rows(connection, basis, [key], date.min.year, date.max.year)]
    return [each for packed in years if len(packed) % RECORD.size == 0 for each in candle.unpack(packed)]


def beginnings(engine: Engine, basis: Basis, count: int) -> dict[str, bytes]:
    """Return the first `count` records of each instrument; a year that is torn ends them."""
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


def newest_years(connection: Connection, key: str) -> tuple[bytes, bytes]:
    """Return the records of an instrument in its last years, as traded and as restated."""
    segment, security_id = split_key(key)
    table = daily_candles.c
    this = (table.segment == segment) & (table.security_id == security_id)
    newest = (
        select(table.basis, table.packed)
        .where(this)
        .order_by(table.year.desc(), table.basis)
        .limit(_MOST_YEARS)
    )
    found = dict.fromkeys(BASES, b"")
    for basis, packed in connection.execute(newest):
        found[basis] = bytes(packed) + found[basis]
    return found["raw"], found["adjusted"]


def last_days(engine: Engine, basis: Basis) -> dict[str, date]:
    """Return the newest day of each instrument that has any. A year that is torn does not count, so that it
    is fetched again.
    """
    table = daily_candles.c
    # The day is the first field of the last record: four bytes of it are read, and not the year.
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
    """Note that the candles of a session are in, inside the caller's transaction.

    A note of more instruments stays: a file of one index must not hide that the whole market is in.
    """
    insert = _insert(connection, candle_days)
    told = {name: insert.excluded[name] for name in ("source", "instruments", "imported_at")}
    fuller = candle_days.c.instruments < insert.excluded.instruments
    values = {"day": day, "source": source, "instruments": instruments, "imported_at": datetime.now(UTC)}
    connection.execute(insert.on_conflict_do_update(index_elements=["day"], set_=told, where=fuller), values)


def days(engine: Engine) -> list[CandleDay]:
    """Return the sessions that were imported, oldest first."""
    with reading(engine) as connection:
        return [
            CandleDay(*row) for row in connection.execute(select(candle_days).order_by(candle_days.c.day))
        ]


def first_day(engine: Engine) -> date | None:
    """Return the oldest day that any instrument has a candle of, None while there is none."""
    table = daily_candles.c
    oldest = select(func.min(table.year)).scalar_subquery()
    firsts = select(func.substr(table.packed, 1, 4)).where(table.year == oldest)
    with reading(engine) as connection:
        numbers = [int.from_bytes(bytes(day), "little", signed=True) for (day,) in connection.execute(firsts)]
    return min(map(candle.day_of, numbers), default=None)


def newest_day(engine: Engine) -> date | None:
    """Return the newest session of which candles were imported, None while there is none."""
    with reading(engine) as connection:
        day: date | None = connection.execute(select(func.max(candle_days.c.day))).scalar()
    return day


def changed_in(connection: Connection) -> SessionsMark:
    """Return what differs whenever a session was imported, or more of one, for one cheap query."""
    table = candle_days.c
    return SessionsMark(
        *connection.execute(select(func.max(table.day), func.max(table.imported_at), func.count())).one()
    )


def _rows(
    connection: Connection, basis: Basis, keys: Collection[str] | None, first_year: int, last_year: int
) -> Iterator[tuple[str, int, bytes]]:
    """Give key, year and records of the years asked for, by instrument and year."""
    table = daily_candles.c
    wanted = (
        select(table.segment, table.security_id, table.year, table.packed)
        .where(table.basis == basis, table.year.between(first_year, last_year))
        .order_by(table.segment, table.security_id, table.year)
    )
    picked = None if keys is None else frozenset(keys)
    for segment, security_id, year, packed in connection.execute(_narrowed(wanted, picked)):
        key = f"{segment}:{security_id}"
        if picked is None or key in picked:
            yield key, year, bytes(packed)


def _narrowed(wanted: Select[Any], keys: frozenset[str] | None) -> Select[Any]:
    if keys is None or len(keys) > _NAMED_KEYS:
        return wanted
    segments, ids = zip(*map(split_key, keys), strict=True) if keys else ((), ())
    return wanted.where(daily_candles.c.segment.in_(set(segments)), daily_candles.c.security_id.in_(set(ids)))


def _delete(connection: Connection, key: str, basis: Basis) -> None:
    segment, security_id = split_key(key)
    table = daily_candles.c
    this = (table.segment == segment) & (table.security_id == security_id) & (table.basis == basis)
    connection.execute(delete(daily_candles).where(this))


def _row(key: str, basis: Basis, year: int, packed: bytes) -> dict[str, Any]:
    segment, security_id = split_key(key)
    return {"segment": segment, "security_id": security_id, "basis": basis, "year": year, "packed": packed}


def _insert(connection: Connection, table: Any) -> Any:
    # Both dialects spell ON CONFLICT the same way; the generic insert has none.
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
