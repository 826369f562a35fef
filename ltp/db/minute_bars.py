"""One-minute bars in SQL: blocks of a quarter of an hour while a session runs, one block of it afterwards.

One reader hides which form a time has. Written by the worker and by commands, one after the other, because
each writer claims the source of the bars; read by pages and the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, select, tuple_

from ltp.core.bars.bar import Bar
from ltp.core.bars.block import closes, merged, packed, unpacked
from ltp.core.bars.columns import BarColumns
from ltp.core.instrument import split_key
from ltp.core.money import Price
from ltp.db import candle_source
from ltp.db.bars import bar_blocks, kept_sessions, partitions
from ltp.db.bars.bar_blocks import Block
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import minute_bars as table

BLOCK_S: Final = 900
_DAY: Final = bar_blocks.day_of(table)
_NAMED: Final = 400  # blocks or keys of one query
_READ: Final = 500  # blocks of one query that reads all: some 3 MB


def upsert(engine: Engine, bars: Mapping[str, Iterable[Bar]], *, simulated: bool = False) -> None:
    """Store bars by key; a bar that is there already is replaced, others stay. All of it or nothing.

    Args:
        simulated: the bars are of the simulated exchange.
    Raises:
        DatabaseError: nothing is stored. A permanent one: they are simulated, and real candles are stored.
    """
    blocks = {
        (key, start): list(group)
        for key, each in bars.items()
        for start, group in groupby(sorted(each), key=lambda bar: bar.start - bar.start % BLOCK_S)
    }
    if not blocks:
        return
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=simulated)
        partitions.ensure(connection, table, (start for _, start in blocks))
        stored = _stored(connection, blocks)
        bar_blocks.write(
            connection,
            table,
            [
                bar_blocks.row(key, start, packed(merged(stored.get((key, start), ()), new), start))
                for (key, start), new in sorted(blocks.items())
            ],
        )


def upsert_session(
    engine: Engine,
    midnight: int,
    bars: Mapping[str, Sequence[Bar]],
    *,
    simulated: bool = False,
    kept: bool = False,
) -> int:
    """As `upsert` for bars of one day that is over: all bars of an instrument become one compressed block.

    Args:
        midnight: the start of the day in India, seconds since the epoch.
        bars: by key, each minute once.
        kept: keep the bars of this day whatever their age.
    Returns:
        How many bars are new or differ from the stored ones.
    """
    changed, rows = 0, []
    with writing(engine) as connection:
        candle_source.claim(connection, simulated=simulated)
        partitions.ensure(connection, table, [midnight])
        if kept:
            kept_sessions.add(connection, [midnight])
        stored = _of_day(connection, list(bars), midnight)
        for key, new in bars.items():
            blocks = stored.get(key, [])
            old = bar_blocks.in_order(blocks).bars()
            differing = len(set(new).difference(old))
            if not differing:
                continue
            changed += differing
            if blocks:
                connection.execute(
                    delete(table).where(bar_blocks.of(table, key), bar_blocks.in_day(table, midnight))
                )
            every = merged(old, new)
            start = every[0].start - every[0].start % BLOCK_S
            rows.append(bar_blocks.row(key, start, packed(every, start, compress=True)))
        if rows:
            bar_blocks.write(connection, table, rows)
    return changed


def fetch(
    engine: Engine, key: str, first: int, until: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[Bar]:
    """Return the bars of an instrument that start in `[first, until)`, seconds since the epoch, oldest first."""
    return fetch_columns(engine, key, first, until, busy_timeout_ms=busy_timeout_ms).bars()


def fetch_columns(
    engine: Engine, key: str, first: int, until: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> BarColumns:
    """As `fetch`, in columns."""
    return bar_blocks.fetch(engine, table, key, first, until, busy_timeout_ms=busy_timeout_ms)


def fetch_closes(
    engine: Engine, keys: Sequence[str], midnight: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> dict[str, dict[int, Price]]:
    """Return the closes of one day by start of their bar, for each key that has any; one query for 400 keys.

    Args:
        midnight: the start of the day in India, seconds since the epoch.
    """
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        stored = _of_day(connection, keys, midnight)
    return {
        key: {at: close for start, block in blocks for at, close in closes(bytes(block), start)}
        for key, blocks in stored.items()
    }


def pack(engine: Engine, key: str, first: int, until: int) -> None:
    """Join the blocks that start in `[first, until)`, a session of an instrument, into one compressed block.

    A block that cannot be read is left out, so that a refill replaces its bars.
    """
    these = bar_blocks.of(table, key) & (table.c.start >= first) & (table.c.start < until)
    with writing(engine) as connection:
        blocks = connection.execute(
            select(table.c.start, table.c.packed).where(these).order_by(table.c.start)
        ).all()
        if len(blocks) < 2:
            return
        bars = bar_blocks.in_order(blocks).bars()
        connection.execute(delete(table).where(these))
        bar_blocks.write(
            connection,
            table,
            [bar_blocks.row(key, blocks[0].start, packed(bars, blocks[0].start, compress=True))],
        )


def loose_sessions(engine: Engine, before: int) -> list[tuple[str, int]]:
    """Return key and first second, midnight in India, of each day before `before` with several blocks."""
    wanted = (
        select(table.c.segment, table.c.security_id, _DAY)
        .where(table.c.start < before)
        .group_by(table.c.segment, table.c.security_id, _DAY)
        .having(func.count() > 1)
    )
    with reading(engine) as connection:
        found = connection.execute(wanted).all()
    return [(f"{row.segment}:{row.security_id}", bar_blocks.midnight(row.day)) for row in found]


def prune(engine: Engine, before: int, *, most: int = 1_000) -> int:
    """Delete up to `most` blocks that start before `before`, seconds since the epoch, but not those of sessions
    that are kept, see `db.bars.kept_sessions`.

    Returns:
        How many were deleted; fewer than `most` where none is left.
    """
    return bar_blocks.prune(engine, table, before, most=most)


def drop_empty(engine: Engine, before: int) -> None:
    """Drop the months without a block that end before `before`, where months are tables of their own."""
    partitions.drop(engine, table, before, only_empty=True)


def make_ahead(engine: Engine, now: int) -> None:
    """Prepare the month of an instant and the next one, where months are tables of their own."""
    partitions.make_ahead(engine, table, now)


def sessions_between(engine: Engine, first: int, until: int) -> Iterator[list[tuple[str, int]]]:
    """Yield key and midnight of the sessions with blocks that start in `[first, until)` and are not kept, some
    hundreds at a time.
    """
    place = (table.c.segment, table.c.security_id, _DAY)
    wanted = (
        select(*place)
        .where(table.c.start >= first, table.c.start < until, ~bar_blocks.is_kept(table))
        .distinct()
        .order_by(*place)
        .limit(_READ)
    )
    last = ("", 0, 0)
    while True:
        with reading(engine) as connection:
            rows = connection.execute(wanted.where(tuple_(*place) > last)).all()
        yield [(f"{row.segment}:{row.security_id}", bar_blocks.midnight(row.day)) for row in rows]
        if len(rows) < _READ:
            return
        last = tuple(rows[-1])


def last_start(engine: Engine, key: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> int | None:
    """Return the start of the newest bar of an instrument, None without any."""
    return bar_blocks.last_start(engine, table, key, busy_timeout_ms=busy_timeout_ms)


def stored_days(engine: Engine, first: int, until: int) -> dict[str, list[int]]:
    """Return the days of blocks that start in `[first, until)`, by key: each day's midnight in India in seconds
    since the epoch, oldest first.
    """
    wanted = (
        select(table.c.segment, table.c.security_id, _DAY)
        .where(table.c.start >= first, table.c.start < until)
        .distinct()
        .order_by(table.c.segment, table.c.security_id, _DAY)
    )
    days: dict[str, list[int]] = {}
    with reading(engine) as connection:
        for row in connection.execute(wanted):
            days.setdefault(f"{row.segment}:{row.security_id}", []).append(bar_blocks.midnight(row.day))
    return days


def days_of(engine: Engine, key: str, first: int, until: int) -> set[int]:
    """Return the midnights of the days of an instrument's blocks that start in `[first, until)`, as `stored_days`."""
    these = bar_blocks.of(table, key) & (table.c.start >= first) & (table.c.start < until)
    with reading(engine) as connection:
        days = connection.execute(select(_DAY).where(these).distinct()).scalars()
        return {bar_blocks.midnight(day) for day in days}


def fetch_starts(engine: Engine, key: str) -> list[int]:
    """Return the starts of the blocks of an instrument, seconds since the epoch, oldest first."""
    with reading(engine) as connection:
        return list(
            connection.execute(
                select(table.c.start).where(bar_blocks.of(table, key)).order_by(table.c.start)
            ).scalars()
        )


def fetch_blocks(engine: Engine) -> Iterator[Block]:
    """Yield every block by key and start. Each few hundred are read in a transaction of their own, so that no
    writer waits for the whole.
    """
    return bar_blocks.fetch_blocks(engine, table, _READ)


def count_blocks(engine: Engine) -> int:
    return bar_blocks.count_blocks(engine, table)


def _stored(
    connection: Connection, blocks: Mapping[tuple[str, int], Sequence[Bar]]
) -> dict[tuple[str, int], list[Bar]]:
    """Return the stored bars of these blocks."""
    wanted = [(*split_key(key), start) for key, start in blocks]
    place = tuple_(*(table.c[name] for name in bar_blocks.KEY))
    found: dict[tuple[str, int], list[Bar]] = {}
    for begin in range(0, len(wanted), _NAMED):
        these = select(table).where(place.in_(wanted[begin : begin + _NAMED]))
        for segment, security_id, start, block in connection.execute(these):
            found[f"{segment}:{security_id}", start] = unpacked(bytes(block), start)
    return found


def _of_day(connection: Connection, keys: Sequence[str], midnight: int) -> dict[str, list[tuple[int, bytes]]]:
    """Return start and content of the blocks of one day by key."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    place = tuple_(table.c.segment, table.c.security_id)
    for begin in range(0, len(keys), _NAMED):
        named = place.in_([split_key(key) for key in keys[begin : begin + _NAMED]])
        these = select(table).where(named, bar_blocks.in_day(table, midnight)).order_by(table.c.start)
        for segment, security_id, start, block in connection.execute(these):
            found.setdefault(f"{segment}:{security_id}", []).append((start, block))
    return found
