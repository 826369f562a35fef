"""The figures of earlier sessions for a quote page, from SQL and remembered for a minute.

The page, its stream and each of its polls need the same figures, because they are in the names of its
columns; without a memory each poll would read SQL.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from ltp.core.history.extremes import Past, extremes
from ltp.core.instrument import CONTRACT_SEGMENTS, split_key
from ltp.core.market.session import Calendar
from ltp.core.trading_day import DAY_S, day_start
from ltp.db import chart_closes, minute_bars
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.web.waits import BUSY_TIMEOUT_MS

KEPT: Final = 500  # instruments; the least recently used goes first
FRESH_S: Final = 60.0
AGAIN_S: Final = 5.0  # after a database that could not be read


class PastFigures:
    """Call it for the figures of an instrument; those that cannot be read are None."""

    def __init__(
        self,
        engine: Engine,
        calendar: Callable[[], Calendar],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._calendar, self._now = engine, calendar, now
        self._monotonic, self._lock = monotonic, threading.Lock()
        self._known: OrderedDict[str, tuple[float, date, Past]] = OrderedDict()

    def __call__(self, key: str) -> Past:
        session, now = self._calendar().session_date(split_key(key)[0], self._now()), self._monotonic()
        with self._lock:
            known = self._known.get(key)
            if known is not None and known[1] == session and now < known[0]:
                self._known.move_to_end(key)
                return known[2]
        until, past = now + FRESH_S, Past()
        try:
            past = self._read(key, session)
        except DatabaseError:
            until = now + AGAIN_S
            past = known[2] if known is not None and known[1] == session else past
        except ValueError:
            pass  # damaged candles; the chart of the same page has the sentence
        with self._lock:
            self._known[key] = until, session, past
            self._known.move_to_end(key)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return past

    def _read(self, key: str, session: date) -> Past:
        found = extremes(chart_closes.fetch_candles(self._engine, key), session)
        return Past(found, self._oi_before(key, session) if split_key(key)[0] in CONTRACT_SEGMENTS else None)

    def _oi_before(self, key: str, session: date) -> int | None:
        """Return the last open interest in the one-minute bars of the session before `session`."""
        before = self._calendar().session_before(split_key(key)[0], session)
        if before is None:
            return None
        start = day_start(before)
        bars = minute_bars.fetch(self._engine, key, start, start + DAY_S, busy_timeout_ms=BUSY_TIMEOUT_MS)
        return next((bar.oi for bar in reversed(bars) if bar.oi is not None), None)
