"""The closes of today by minute, for the column that shows them as a line.

Kept by each web process for the instruments of open tables with this column. The closes up to now are read
from SQL when a page or its stream is opened, one query for 50 of them; then each first price of a new minute
adds the last one of the minute before, because the hub draws every new quote of an open page. So a line is
drawn at most once a minute and instrument, and costs nothing while no open page shows the column.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Final

from ltp.core.instrument import split_key
from ltp.core.market.session import Calendar
from ltp.core.money import Price, is_currency
from ltp.core.ticks.quote import Quote
from ltp.core.trading_day import IST, date_of, day_start
from ltp.db import minute_bars
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.web.table.cells import DASH
from ltp.web.table.sparkline import PLACES, day_line
from ltp.web.waits import BUSY_TIMEOUT_MS

CAPACITY: Final = 6_000  # instruments, as many as the board keeps; some 12 MB if all of them are shown
FOLLOWED_FOR_S: Final = 90.0  # a line that was not drawn for longer may lack minutes, and is read again
_READ: Final = 50  # instruments of one query, a page of usual size: some 20 ms
_MINUTE_US: Final = 60_000_000
# Minutes of a day that has no beginning; no exchange trades so long. Its line begins with its first close.
_ROUND_THE_CLOCK: Final = 1_200
_TRADED: Final = frozenset({"continuous", "closing_auction"})

# Closes of a day by start of their minute, for each of the keys: the day begins at the second given.
FetchCloses = Callable[[Collection[str], int], Mapping[str, Mapping[int, Price]]]


class _Path:
    """One instrument on one day.

    `minute`, `close`: of the newest price, which becomes a point once a later minute has one. `read`: its
    earlier closes were read. `touched_s`: when it was last drawn or read.
    """

    __slots__ = (
        "_closes", "_drawn", "_first", "_last", "_minutes", "_round_the_clock", "_step", "close", "minute", "read",
        "session", "touched_s",
    )  # fmt: skip

    def __init__(self, session: str, hours: tuple[int, int]) -> None:
        """`hours`: first and last minute of trading since the epoch; prices of others are left out."""
        self.session = session
        self._first, self._last = hours
        self._round_the_clock = self._last - self._first >= _ROUND_THE_CLOCK
        self._step = 1 if self._round_the_clock else max((self._last - self._first) // (PLACES - 1), 1)
        self._minutes, self._closes = array("q"), array("q")  # points, oldest first
        self.minute, self.close = 0, 0
        self._drawn: str | None = None
        self.read, self.touched_s = False, 0.0

    def trade(self, minute: int, price: Price) -> None:
        """Take in a price; `minute`: of its trade, since the epoch."""
        if not self._first <= minute <= self._last or minute < self.minute:
            return
        if minute > self.minute >= self._first:
            self._add(self.minute, self.close)
        self.minute, self.close = minute, price

    def take(self, closes: Mapping[int, Price]) -> None:
        """Take in stored closes by start of their minute in seconds. Later ones that are here stay."""
        own = list(zip(self._minutes, self._closes, strict=True))
        self._minutes, self._closes, self._drawn = array("q"), array("q"), None
        for minute, close in [*((start // 60, closes[start]) for start in sorted(closes)), *own]:
            if self._first <= minute <= self._last:
                self._add(minute, close)

    def line(self, before: Price | None, *, currency: bool) -> str:
        """Return the line, drawn only where a point has come. `before`: the previous session's close."""
        if self._drawn is None:
            until = f"{datetime.fromtimestamp(self._minutes[-1] * 60, IST):%H:%M}" if self._minutes else ""
            self._drawn = day_line(self._places(), before, until, currency=currency) or DASH
        return self._drawn

    def _add(self, minute: int, close: Price) -> None:
        """Add a point unless a later one is there. Of several in one place of the line the newest is kept."""
        last = self._minutes[-1] if self._minutes else -1
        if minute <= last:
            return
        if (minute - self._first) // self._step == (last - self._first) // self._step:
            self._minutes[-1], self._closes[-1] = minute, close
        else:
            self._minutes.append(minute)
            self._closes.append(close)
        self._drawn = None

    def _places(self) -> dict[int, Price]:
        """Return the newest close of each place in the width of the line. Distant places stay apart: the step is
        at most as long as a place.
        """
        if not self._minutes:
            return {}
        begin, end = self._first, self._last
        if self._round_the_clock:
            begin, end = self._minutes[0], self._minutes[-1]
        length = max(end - begin, 1)
        return {
            (minute - begin) * (PLACES - 1) // length: close
            for minute, close in zip(self._minutes, self._closes, strict=True)
        }


class DayPaths:
    """The lines of a process. Its methods may be called by several threads."""

    def __init__(
        self,
        fetch: FetchCloses,
        calendar: Callable[[], Calendar],
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch, self._calendar = fetch, calendar
        self._now, self._monotonic = now, monotonic
        self._lock = threading.Lock()
        self._paths: OrderedDict[str, _Path] = OrderedDict()  # the one that was used longest ago first

    def __len__(self) -> int:
        return len(self._paths)

    def learn(self, keys: Collection[str]) -> None:
        """Read the earlier closes of instruments that a page is about to show, where they are not known.

        While the database is busy their lines begin with the next minutes; the next page reads again.
        """
        day = date_of(self._now())
        with self._lock:
            unknown = [key for key in dict.fromkeys(keys) if not self._is_followed(key, day)]
        if not unknown:
            return
        for begin in range(0, len(unknown), _READ):
            if begin:
                time.sleep(0.001)  # other greenlets of this process run
            keys = unknown[begin : begin + _READ]
            try:
                found = self._fetch(keys, day_start(day))
            except DatabaseError:
                return
            with self._lock:
                for key in keys:
                    path = self._path(key, day.isoformat())
                    path.take(found.get(key, {}))
                    path.read = True

    def draw(self, quote: Quote) -> str:
        """Return the line of a quote, a dash for a price that is not of today and for fewer than two points."""
        tick = quote.tick
        if tick is None or tick.ltp is None or tick.session != date_of(self._now()).isoformat():
            return DASH
        with self._lock:
            path = self._path(quote.key, tick.session)
            if not tick.rest:
                path.trade(tick.traded_at // _MINUTE_US, tick.ltp)
            return path.line(tick.prev_close, currency=is_currency(quote.key))

    def _is_followed(self, key: str, day: date) -> bool:
        path = self._paths.get(key)
        if path is None or not path.read or path.session != day.isoformat():
            return False
        return self._monotonic() - path.touched_s < FOLLOWED_FOR_S

    def _path(self, key: str, session: str) -> _Path:
        path = self._paths.get(key)
        if path is None or path.session != session:
            path = self._paths[key] = _Path(session, self._hours(key, session))
            if len(self._paths) > CAPACITY:
                self._paths.popitem(last=False)
        self._paths.move_to_end(key)
        path.touched_s = self._monotonic()
        return path

    def _hours(self, key: str, session: str) -> tuple[int, int]:
        """Return first and last minute of the trading day; the whole day if the calendar has none."""
        day = date.fromisoformat(session)
        windows = [each for each in self._calendar().windows(split_key(key)[0], day) if each.phase in _TRADED]
        if not windows:
            return day_start(day) // 60, day_start(day) // 60 + 1_439
        return windows[0].start // 60, windows[-1].end // 60 - 1


def stored_closes(engine: Engine) -> FetchCloses:
    """Return the function that reads closes from SQL, and waits for a lock only a moment."""
    return lambda keys, midnight: minute_bars.fetch_closes(
        engine, list(keys), midnight, busy_timeout_ms=BUSY_TIMEOUT_MS
    )
