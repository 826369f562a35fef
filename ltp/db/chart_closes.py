"""The daily candles of one share for a chart, read with bounds on rows and on waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from ltp.core.history import candle
from ltp.core.history.candle import Candle, prefers_adjusted
from ltp.core.history.corporate_action import Action
from ltp.core.history.price_history import candles_of
from ltp.db import corporate_actions, recent_candles
from ltp.db.engine import reading

DAYS: Final = 1_100  # three years, as screens read, so that the averages equal those of the facts
_BUSY_TIMEOUT_MS: Final = 50  # waiting blocks all greenlets of a web process


def fetch_candles(engine: Engine, key: str) -> list[Candle]:
    """Return the daily candles of three years, oldest first, with the basis that screens take.

    Raises:
        DatabaseError: also if the database is locked for more than 50 ms.
        ValueError: the stored records are damaged.
    """
    raw, restated, known = _stored(engine, key)
    if prefers_adjusted(raw, restated):
        return candles_of(_three_years(restated))
    return candles_of(_three_years(raw), known)


def _stored(engine: Engine, key: str) -> tuple[bytes, bytes, list[Action]]:
    """Return the raw and the adjusted records of an instrument, and its corporate actions."""
    with reading(engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
        raw, restated = recent_candles.newest_years(connection, key)
        return raw, restated, corporate_actions.of_key(connection, key)


def _three_years(packed: bytes) -> bytes:
    newest = candle.last_day(packed)
    return packed if newest is None else candle.between(packed, newest - timedelta(days=DAYS), newest)
