"""The instrument master in SQL: present and former symbols, ISINs, lot and tick sizes, series and sectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, or_, select, tuple_, update

from ltp.core.instrument import CONTRACT_SEGMENTS, Instrument, split_key
from ltp.db import on_conflict
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import instrument_names
from ltp.db.schema import instruments as table
from ltp.errors import NotFoundError

BATCH: Final = 2_000  # rows in one statement that writes
READ: Final = 500  # rows in one statement that reads in a web process: a few milliseconds
_COLUMNS: Final = [table.c[name] for name in Instrument._fields]
_KEY: Final = ("segment", "security_id")
# Columns that not every source has, with their empty value: an empty value never replaces a stored one.
_OPTIONAL: Final = {"isin": "", "series": "", "sector": "", "tick_size": 0}


def seed(engine: Engine, instruments: Iterable[Instrument]) -> None:
    """Insert new instruments and update changed ones in one transaction; all others stay."""
    with writing(engine) as connection:
        for batch in batches(instruments):
            upsert(connection, batch)


def upsert(connection: Connection, instruments: Sequence[Instrument]) -> None:
    """As `seed` for at most BATCH instruments, in the caller's transaction.

    A symbol or ISIN that changes is stored as a former name.
    """
    _store_former_names(connection, instruments)
    insert = on_conflict.insert(connection, table)
    updated: dict[str, Any] = {name: insert.excluded[name] for name in Instrument._fields if name not in _KEY}
    for name, empty in _OPTIONAL.items():
        updated[name] = func.coalesce(func.nullif(insert.excluded[name], empty), table.c[name])
    # An unchanged row keeps its changed_at, or every start of a process would make every cache reload.
    differs = or_(*(table.c[name] != updated[name] for name in updated))
    statement = insert.on_conflict_do_update(
        index_elements=_KEY, set_={**updated, "changed_at": insert.excluded.changed_at}, where=differs
    )
    connection.execute(statement, _values(instruments))


def forget(connection: Connection, keys: Iterable[str]) -> None:
    """Clear ISIN and sector of keys that now mean another instrument, in the caller's transaction.

    Otherwise a source without these columns would leave the values of the former instrument.
    """
    for segment, security_id in map(split_key, keys):
        this = (table.c.segment == segment) & (table.c.security_id == security_id)
        connection.execute(update(table).where(this).values(isin="", sector=""))


def add_missing(connection: Connection, instruments: Iterable[Instrument]) -> None:
    """Insert new instruments and leave stored ones as they are, in the caller's transaction."""
    values = _values(instruments)
    if values:
        connection.execute(
            on_conflict.insert(connection, table).on_conflict_do_nothing(index_elements=_KEY), values
        )


def retire(connection: Connection, segment: str, listed: set[int]) -> int:
    """Retire the instruments of a segment that a complete list no longer contains. Returns their number.

    Contracts are deleted, because they never trade again. Shares keep their row, because candles and links
    refer to it, and lose their series: their symbol then means the listing that trades.
    """
    contracts = segment in CONTRACT_SEGMENTS
    known = select(table.c.security_id).where(table.c.segment == segment)
    if not contracts:
        known = known.where(table.c.series != "")
    unlisted = [id_ for id_ in connection.execute(known).scalars() if id_ not in listed]
    for start in range(0, len(unlisted), BATCH):
        these = (table.c.segment == segment) & table.c.security_id.in_(unlisted[start : start + BATCH])
        change = delete(table) if contracts else update(table).values(series="", changed_at=datetime.now(UTC))
        connection.execute(change.where(these))
    return len(unlisted)


def set_sectors(engine: Engine, sectors: Iterable[tuple[str, int, str]]) -> None:
    """Store the sectors of instruments, given as (segment, id, sector)."""
    with writing(engine) as connection:
        for segment, security_id, sector in sectors:
            this = (
                (table.c.segment == segment)
                & (table.c.security_id == security_id)
                & (table.c.sector != sector)
            )
            connection.execute(update(table).where(this).values(sector=sector, changed_at=datetime.now(UTC)))


def fetch_all(engine: Engine) -> list[Instrument]:
    """Return the whole master, by segment and id: up to 200,000 rows. `fetch` reads one segment."""
    return [instrument for batch in fetch_batches(engine) for instrument in batch]


def fetch(engine: Engine, segment: str) -> list[Instrument]:
    """Return the instruments of a segment, by id."""
    statement = select(*_COLUMNS).where(table.c.segment == segment).order_by(table.c.security_id)
    with reading(engine) as connection:
        return [Instrument(*row) for row in connection.execute(statement)]


def fetch_named(engine: Engine, keys: Sequence[str]) -> list[Instrument]:
    """Return the instruments of at most BATCH keys in no order, without unknown keys."""
    ids: dict[str, list[int]] = {}
    for segment, security_id in map(split_key, keys):
        ids.setdefault(segment, []).append(security_id)
    with reading(engine) as connection:
        return [
            Instrument(*row)
            for segment, these in ids.items()
            for row in connection.execute(
                select(*_COLUMNS).where(table.c.segment == segment, table.c.security_id.in_(these))
            )
        ]


def fetch_one(engine: Engine, segment: str, security_id: int) -> Instrument:
    """Return one instrument. Raises NotFoundError for an unknown key."""
    this = (table.c.segment == segment) & (table.c.security_id == security_id)
    with reading(engine) as connection:
        row = connection.execute(select(*_COLUMNS).where(this)).first()
    if row is None:
        raise NotFoundError("instrument", f"{segment}:{security_id}")
    return Instrument(*row)


def fetch_names(engine: Engine) -> dict[tuple[str, str], str]:
    """Return a map from (segment, former symbol or ISIN) to the key that had it last."""
    columns = (instrument_names.c.segment, instrument_names.c.name, instrument_names.c.security_id)
    with reading(engine) as connection:
        return {
            (segment, name): f"{segment}:{id_}" for segment, name, id_ in connection.execute(select(*columns))
        }


def counts(engine: Engine) -> dict[str, int]:
    """Return the number of instruments by segment."""
    with reading(engine) as connection:
        return {
            row.segment: row.known
            for row in connection.execute(
                select(table.c.segment, func.count().label("known")).group_by(table.c.segment)
            )
        }


def fetch_batches(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Iterator[list[Instrument]]:
    """Yield the whole master by segment and id in lists of READ.

    Each list is a transaction of its own, so that no writer of an SQLite file waits for the whole read.

    Raises:
        DatabaseError: also after the first lists.
    """
    key = [table.c[name] for name in _KEY]
    statement, last = select(*_COLUMNS).order_by(*key).limit(READ), None
    while last is None or len(last) == READ:
        after = (
            statement
            if last is None
            else statement.where(tuple_(*key) > (last[-1].segment, last[-1].security_id))
        )
        with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
            last = [Instrument(*row) for row in connection.execute(after)]
        if last:
            yield last


def changed_at(connection: Connection) -> datetime | None:
    """Return the instant of the newest change, None while the table is empty."""
    newest: datetime | None = connection.execute(select(func.max(table.c.changed_at))).scalar()
    return newest


def batches(instruments: Iterable[Instrument]) -> Iterator[list[Instrument]]:
    rest = iter(instruments)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _store_former_names(connection: Connection, instruments: Sequence[Instrument]) -> None:
    """Store the symbols and ISINs that `instruments` replace. Contracts are never renamed and skipped."""
    now, former = datetime.now(UTC), {}
    for segment in {instrument.segment for instrument in instruments} - CONTRACT_SEGMENTS:
        by_id = {each.security_id: each for each in instruments if each.segment == segment}
        columns = (table.c.security_id, table.c.symbol, table.c.isin)
        known = select(*columns).where(table.c.segment == segment, table.c.security_id.in_(by_id))
        for id_, symbol, isin in connection.execute(known):
            new = by_id[id_]
            names = [symbol] * (symbol != new.symbol) + [isin] * (
                bool(isin and new.isin) and isin != new.isin
            )
            for name in names:
                former[name, segment] = {"name": name, "segment": segment, "security_id": id_, "seen_at": now}
    if former:
        insert = on_conflict.insert(connection, instrument_names)
        newer = {"security_id": insert.excluded.security_id, "seen_at": insert.excluded.seen_at}
        connection.execute(
            insert.on_conflict_do_update(index_elements=("name", "segment"), set_=newer),
            list(former.values()),
        )


def _values(instruments: Iterable[Instrument]) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    return [instrument._asdict() | {"changed_at": now} for instrument in instruments]
