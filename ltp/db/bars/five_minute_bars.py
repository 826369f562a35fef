"""Five-minute bars in SQL: what stays of a session when its one-minute bars are deleted. One block a session.

All longer timeframes of minutes are multiples of five, so they are made of these exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table, delete, select

from ltp.core.bars.bar import Bar
from ltp.core.bars.block import merged, packed
from ltp.core.bars.columns import BarColumns
from ltp.core.trading_day import days_since_1970
from ltp.db import candle_source
from ltp.db.bars import bar_blocks, kept_sessions, partitions
from ltp.db.bars.bar_blocks import Block
from ltp.db.engine import BUSY_TIMEOUT_MS, writing
from ltp.db.schema import five_minute_bars as table
from ltp.db.schema import minute_bars


class Made(NamedTuple):
    """`sessions`: with five-minute bars. `deleted`: blocks of one-minute bars."""

    sessions: int
    deleted: int


def make(
    engine: Engine, sessions: Sequence[tuple[str, int]], rolled_up: Callable[[str, int, list[Bar]], list[Bar]]
) -> Made:
    """Store five-minute bars of sessions in place of their one-minute bars, in one transaction: a session that
    is written at the same time is either in it or stays. One that is kept whatever its age stays.

    Where a session has five-minute bars already, those of the same start are replaced as by `merged`, others stay.

    Args:
        sessions: key, and midnight in India in seconds since the epoch; each once.
        rolled_up: returns the five-minute bars of a key, a midnight and one-minute bars.
    """
    rows, deleted = [], 0
    with writing(engine) as connection:
        candle_source.hold(connection)
        partitions.ensure(connection, table, (midnight for _, midnight in sessions))
        kept = kept_sessions.of(connection)
        for key, midnight in sessions:
            if days_since_1970(midnight) in kept:
                continue
            new = rolled_up(key, midnight, _of_day(connection, minute_bars, key, midnight))
            deleted += _delete(connection, minute_bars, key, midnight)
            if new:
                every = merged(_of_day(connection, table, key, midnight), new)
                _delete(connection, table, key, midnight)
                block = packed(every, every[0].start, compress=True)
                rows.append(bar_blocks.row(key, every[0].start, block))
        if rows:
            bar_blocks.write(connection, table, rows)
    return Made(len(rows), deleted)


def fetch_columns(
    engine: Engine, key: str, first: int, until: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> BarColumns:
    """Return the bars of an instrument that start in `[first, until)`, seconds since the epoch."""
    return bar_blocks.fetch(engine, table, key, first, until, busy_timeout_ms=busy_timeout_ms)


def last_start(engine: Engine, key: str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> int | None:
    """Return the start of the newest bar of an instrument, None without any."""
    return bar_blocks.last_start(engine, table, key, busy_timeout_ms=busy_timeout_ms)


def prune(engine: Engine, before: int, *, most: int = 1_000) -> int:
    """Delete up to `most` blocks that start before `before`, but not of kept sessions; return how many."""
    return bar_blocks.prune(engine, table, before, most=most)


def fetch_blocks(engine: Engine) -> Iterator[Block]:
    """Yield every block by key and start, as `minute_bars.fetch_blocks`."""
    return bar_blocks.fetch_blocks(engine, table)


def count_blocks(engine: Engine) -> int:
    return bar_blocks.count_blocks(engine, table)


def _of_day(connection: Connection, of: Table, key: str, midnight: int) -> list[Bar]:
    blocks = select(of.c.start, of.c.packed).where(bar_blocks.of(of, key), bar_blocks.in_day(of, midnight))
    return bar_blocks.in_order(connection.execute(blocks.order_by(of.c.start))).bars()


def _delete(connection: Connection, of: Table, key: str, midnight: int) -> int:
    return connection.execute(
        delete(of).where(bar_blocks.of(of, key), bar_blocks.in_day(of, midnight))
    ).rowcount
