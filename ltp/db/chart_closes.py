"""The closes or the candles of one share for a chart, read with bounds on rows and on waiting."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import Engine

from ltp.core.history import candle
from ltp.core.history.candle import Candle, prefers_adjusted
from ltp.core.history.corporate_action import Action
from ltp.core.history.price_history import Closes, candles_of, closes_of
from ltp.db import corporate_actions, recent_candles
from ltp.db.engine import reading

DAYS: Final = 1_100  # three years, as screens read, so that the averages equal those of the facts
_BUSY_TIMEOUT_MS: Final = 50  # waiting blocks all greenlets of a web process
_SAME_WITHIN: Final = 0.01


def fetch(engine: Engine, key: str, made: date | None = None, price: float | None = None) -> Closes | None:
    """Return the closes of three years, None if there are none or their records are damaged.

    Args:
        made, price: session and close, in rupees, of a plan that is drawn over the closes. The closes then
            end before the first split or bonus after `made`. If the broker has restated the close of `made`,
            None is returned, because closes and plan would have different scales.
    Raises:
        DatabaseError: also if the database is locked for more than 50 ms.
    """
    raw, restated, known = _stored(engine, key)
    ends = [each.ex_day for each in known if made and each.ex_day > made and each.state != "dismissed"]
    last = min(ends, default=date.max) - timedelta(days=1)
    try:
        if prefers_adjusted(raw, restated):
            found = closes_of(_three_years(restated, last))
        else:
            found = closes_of(_three_years(raw, last), [each for each in known if each.ex_day <= last])
    except ValueError:
        return None  # damaged; the notes of the run that left the share out name it
    if (
        made in found.days
        and price
        and abs(found.closes[found.days.index(made)] - price) > _SAME_WITHIN * price
    ):
        return None
    return found if found.days else None


def fetch_candles(engine: Engine, key: str) -> list[Candle]:
    """Return the daily candles of three years, oldest first, with the basis and adjustments of `fetch`.

    Raises:
        DatabaseError: as `fetch`.
        ValueError: the stored records are damaged.
    """
    raw, restated, known = _stored(engine, key)
    if prefers_adjusted(raw, restated):
        return candles_of(_three_years(restated, date.max))
    return candles_of(_three_years(raw, date.max), known)


def _stored(engine: Engine, key: str) -> tuple[bytes, bytes, list[Action]]:
    """Return the raw and the adjusted records of an instrument, and its corporate actions."""
    with reading(engine, busy_timeout_ms=_BUSY_TIMEOUT_MS) as connection:
        raw, restated = recent_candles.newest_years(connection, key)
        return raw, restated, corporate_actions.of_key(connection, key)


def _three_years(packed: bytes, last: date) -> bytes:
    packed = candle.between(packed, date.min, last)
    newest = candle.last_day(packed)
    return packed if newest is None else candle.between(packed, newest - timedelta(days=DAYS), newest)
