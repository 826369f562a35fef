"""Whose daily candles lie in the database: the market's, or the simulated exchange's. Never both: one would
pass for the other.

Whoever writes candles claims the database in the same transaction, so an import and a fetch at the same time
cannot mix them.
"""

from __future__ import annotations

from typing import Final, Literal

from sqlalchemy import Connection, Engine, delete, func, select, update

from ltp.db.engine import reading
from ltp.db.schema import candle_days, candle_source, daily_candles, screener_runs
from ltp.errors import DatabaseError

Held = Literal["nothing", "real", "simulated"]

SIMULATED_RUN: Final = "simulated candles"  # the source of a run made of them


def held(engine: Engine) -> Held:
    """Tell whose candles are there."""
    with reading(engine) as connection:
        return _held(connection)


def simulated_instruments(engine: Engine) -> int:
    """Return how many instruments have simulated candles."""
    with reading(engine) as connection:
        return _instruments(connection) if _held(connection) == "simulated" else 0


def claim(connection: Connection, *, simulated: bool) -> int:
    """Make the database one of simulated or of real candles until the end of the caller's transaction, which
    then writes them.

    Real ones take the place of simulated ones, which are removed with the sessions noted for them and the
    runs made of them.

    Returns:
        How many instruments had simulated candles that were removed.
    Raises:
        DatabaseError: simulated ones are to be written, and there are real ones.
    """
    # Locked where several may write at once: another claim waits until what this one writes is in.
    marked = connection.execute(select(candle_source.c.simulated).with_for_update()).scalar_one()
    if marked == simulated:
        return 0
    removed = 0
    if simulated:
        refuse_simulated(_held(connection))
    else:
        removed = _instruments(connection)
        connection.execute(delete(daily_candles))
        connection.execute(delete(candle_days))
        connection.execute(delete(screener_runs).where(screener_runs.c.source == SIMULATED_RUN))
    connection.execute(update(candle_source).values(simulated=simulated))
    return removed


def refuse_simulated(there: Held) -> None:
    """Raise DatabaseError where simulated candles would join real ones."""
    if there == "real":
        raise DatabaseError(
            "Simulated candles are not fetched: the database holds real ones, imported or the broker's",
            permanent=True,
        )


def _held(connection: Connection) -> Held:
    if connection.execute(select(daily_candles.c.year).limit(1)).first() is None:
        return "nothing"
    return "simulated" if connection.execute(select(candle_source.c.simulated)).scalar_one() else "real"


def _instruments(connection: Connection) -> int:
    each = select(daily_candles.c.segment, daily_candles.c.security_id).distinct().subquery()
    return connection.execute(select(func.count()).select_from(each)).scalar_one()
