"""The lowest and highest prices of 52 weeks, for the column that places the price between them.

Kept by each web process for the instruments of tables with this column, read from SQL when a page or its
stream is opened, or when a list is sorted by the column: 2,500 shares take about a second, in short pieces.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Final

from ltp.core.history.extremes import WEEKS, Ends
from ltp.core.trading_day import date_of
from ltp.db import recent_candles
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.web.waits import BUSY_TIMEOUT_MS

CAPACITY: Final = 6_000  # instruments, as many as the board keeps; a megabyte
FRESH_S: Final = 900.0  # candles are imported once a day, and today's prices widen the range
MOST_S: Final = 2.0  # of reading for one page; what is not read by then is read for the next one
_READ: Final = 20  # instruments of one query: some 5 ms

FetchYears = Callable[[Collection[str], date], Mapping[str, Ends]]


class YearRanges:
    """Those of a process. Its methods may be called by several threads."""

    def __init__(
        self,
        fetch: FetchYears,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fetch`: returns the figures for a day of those keys that have any."""
        self._fetch, self._now, self._monotonic = fetch, now, monotonic
        self._lock = threading.Lock()
        # By key: until when it is fresh, of which day it is, and the figures; the oldest read first.
        self._known: OrderedDict[str, tuple[float, date, Ends | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Ends | None:
        """Return the figures as they were read last, None if there are none."""
        known = self._known.get(key)
        return None if known is None else known[2]

    def learn(self, keys: Collection[str]) -> None:
        """Read the figures that are not fresh. While the database is busy the older ones stay."""
        day, begun = date_of(self._now()), self._monotonic()
        wanted = [key for key in dict.fromkeys(keys) if not self._is_fresh(key, day, begun)][:CAPACITY]
        for first in range(0, len(wanted), _READ):
            if first:
                time.sleep(0.001)  # other greenlets of this process run
            if self._monotonic() - begun > MOST_S:
                return
            part = wanted[first : first + _READ]
            try:
                found = self._fetch(part, day)
            except DatabaseError:
                return
            self._keep(part, day, found)

    def _is_fresh(self, key: str, day: date, now: float) -> bool:
        known = self._known.get(key)
        return known is not None and known[1] == day and now < known[0]

    def _keep(self, keys: list[str], day: date, found: Mapping[str, Ends]) -> None:
        until = self._monotonic() + FRESH_S
        with self._lock:
            for key in keys:
                self._known[key] = until, day, found.get(key)
                self._known.move_to_end(key)
            while len(self._known) > CAPACITY:
                self._known.popitem(last=False)


def stored_years(engine: Engine) -> FetchYears:
    """Return the function that reads daily candles from SQL, and waits for a lock only a moment."""

    def fetch(keys: Collection[str], day: date) -> dict[str, Ends]:
        return recent_candles.ends_since(engine, keys, day - WEEKS, day, busy_timeout_ms=BUSY_TIMEOUT_MS)

    return fetch
