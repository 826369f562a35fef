"""What a row's chart needs of SQL: the closes of one share, in one look that is bounded in rows and in
waiting.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import Engine

from ltp.core.history import candle
from ltp.core.history.candle import restated_counts
from ltp.core.history.price_history import Closes, closes_of
from ltp.db import candles, corporate_actions
from ltp.db.engine import reading

DAYS: Final = 1_100  # three years, as screens read: the averages are then those of the facts
_PATIENCE_MS: Final = 50  # beside browsers
_SAME_WITHIN: Final = 0.01


def fetch(engine: Engine, key: str, made: date | None = None, price: float | None = None) -> Closes | None:
    """Return the closes of three years, None where there is none that can be drawn.

    Args:
        made, price: session and close, in rupees, of a plan that is drawn over them. Closes end before the
            first split or bonus
            since, and there are none where the broker has restated that close: they would be of another scale
                than the plan.
    Raises:
        DatabaseError: also where it is locked for longer than a moment.
    """
    with reading(engine, patience_ms=_PATIENCE_MS) as connection:
        raw, restated = candles.newest_years(connection, key)
        known = corporate_actions.of_key(connection, key)
    ends = [each.ex_day for each in known if made and each.ex_day > made and each.state != "dismissed"]
    last = min(ends, default=date.max) - timedelta(days=1)
    try:
        if restated_counts(raw, restated):
            found = closes_of(_three_years(restated, last))
        else:
            found = closes_of(_three_years(raw, last), [each for each in known if each.ex_day <= last])
    except ValueError:
        return None  # damaged; the run that left the share out says so
    if (
        made in found.days
        and price
        and abs(found.closes[found.days.index(made)] - price) > _SAME_WITHIN * price
    ):
        return None
    return found if found.days else None


def _three_years(packed: bytes, last: date) -> bytes:
    packed = candle.between(packed, date.min, last)
    newest = candle.last_day(packed)
    return packed if newest is None else candle.between(packed, newest - timedelta(days=DAYS), newest)
