"""The source of the stored candles and bars: the market or the simulated exchange, never both.

Mixed candles could not be separated later. Each writer of candles claims the source in its own transaction,
so an import and a fetch at the same time cannot mix them.
"""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import Connection, Engine, delete, func, select, union, update

from ltp.db.bars.tables import audit_minutes, bar_refills, feed_connections, feed_subscriptions
from ltp.db.engine import BUSY_TIMEOUT_MS, reading
from ltp.db.history.tables import history_instruments, history_sessions
from ltp.db.schema import (
    bar_audits,
    candle_days,
    candle_source,
    daily_candles,
    five_minute_bars,
    minute_bars,
    screener_runs,
)
from ltp.errors import DatabaseError

Origin = Literal["nothing", "real", "simulated"]

SIMULATED_RUN: Final = "simulated candles"  # `source` of a run that was made from them
_STORED: Final = (daily_candles, minute_bars, five_minute_bars)


def origin(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Origin:
    """Return the source of the stored candles and bars.

    Args:
        busy_timeout_ms: see `engine.reading`.
    """
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return _origin(connection)


def simulated_instruments(engine: Engine) -> int:
    """Return how many instruments have simulated candles."""
    with reading(engine) as connection:
        return _instruments(connection) if _origin(connection) == "simulated" else 0


def claim(connection: Connection, *, simulated: bool) -> int:
    """Mark the source of the candles or bars that the caller's transaction is about to write.

    Before real ones the simulated ones are deleted, with their sessions and the runs made from them.

    Returns:
        The number of instruments whose simulated candles were deleted.
    Raises:
        DatabaseError: simulated ones are to be written and real ones are stored.
    """
    # The row is locked where several may write at once: another claim waits until this transaction ends.
    marked = connection.execute(select(candle_source.c.simulated).with_for_update()).scalar_one()
    if marked == simulated:
        return 0
    removed = 0
    if simulated:
        refuse_simulated(_origin(connection))
    else:
        removed = _instruments(connection)
        connection.execute(delete(daily_candles))
        connection.execute(delete(candle_days))
        for bars in (minute_bars, five_minute_bars, history_sessions, history_instruments):
            connection.execute(delete(bars))
        for beside in (bar_audits, audit_minutes, bar_refills, feed_subscriptions, feed_connections):
            connection.execute(delete(beside))
        connection.execute(delete(screener_runs).where(screener_runs.c.source == SIMULATED_RUN))
    connection.execute(update(candle_source).values(simulated=simulated))
    return removed


def is_simulated(connection: Connection) -> bool:
    """Return whether the newest candles or bars were written as the simulated exchange's; False before any."""
    return bool(connection.execute(select(candle_source.c.simulated)).scalar_one())


def hold(connection: Connection) -> None:
    """Keep the source of the stored candles as it is until the caller's transaction ends, without a claim."""
    connection.execute(select(candle_source.c.simulated).with_for_update())


def refuse_simulated(stored: Origin) -> None:
    """Raise DatabaseError if simulated candles would join real ones."""
    if stored == "real":
        raise DatabaseError(
            "Simulated candles are not fetched: the database holds real ones, imported or the broker's",
            permanent=True,
        )


def _origin(connection: Connection) -> Origin:
    stored = (select(table.c.security_id).limit(1) for table in _STORED)
    if all(connection.execute(first).first() is None for first in stored):
        return "nothing"
    return "simulated" if connection.execute(select(candle_source.c.simulated)).scalar_one() else "real"


def _instruments(connection: Connection) -> int:
    each = union(*(select(table.c.segment, table.c.security_id) for table in _STORED))
    return connection.execute(select(func.count()).select_from(each.subquery())).scalar_one()
