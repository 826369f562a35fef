"""The tap: a listener on every tick of the feed, before `ingest` conflates them.

The cache and the pages need the newest price of an instrument, so conflation drops the ones between. Candles
and alerts need each.

Fields: one `core.ticks.tick.TickFields` a packet, unnamed (`Tick._make` names them): key; ltp (1/10,000
rupee); ltt (last trade, whole seconds since the epoch, true UTC); received_at (microseconds since the epoch
by this host); volume (of the trading date so far); day (open, high, low, previous close: shared by the ticks
of an instrument, never to be changed); oi; and, filled only by conflation, session (""), traded_at (0) and
rest (False). None: not in this packet; open interest and previous close come without a price.

Order: as the broker sent them. The ticks of one call were read together from one connection. They are not
judged yet: a tick may repeat the one before it, be overtaken by a newer one, carry a wrong trade time, belong
to a drill, or name an instrument that is no longer wanted. After each reconnect the broker sends the
newest values of every instrument again; a tick with `received_at` before `FeedStatus.since_us` came on an
earlier connection. REST quotes do not pass here: they are no trades of this moment.

Thread and time: the feed's own thread, before the ticks leave for Redis, so whatever a tap takes delays every
price. Its budget is a microsecond a tick: twice what conflation takes, and 2% of the thread at 20,000 ticks a
second. It must not wait: no I/O, no lock that another thread holds for long. Slower work goes into a queue
for a thread of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ltp import metrics
from ltp.core.counted import counted
from ltp.core.ticks.tick import TickFields

log = logging.getLogger(__name__)

Tap = Callable[[Sequence[TickFields]], None]


class GuardedTap:
    """Calls a tap. Its exceptions are counted, and logged once for each class: one fault in it recurs with
    every batch. They never reach the feed's thread, where they would cost the ticks.
    """

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._logged: set[type[Exception]] = set()

    def __call__(self, ticks: Sequence[TickFields]) -> None:
        try:
            self._tap(ticks)
        except Exception as error:
            kind = type(error)
            metrics.count(f"tap_faults.{kind.__name__}")
            if kind not in self._logged:
                self._logged.add(kind)
                log.exception("The tap failed on %s; prices go on", counted(len(ticks), "tick"))


class Taps:
    """Several taps as one. A fault of one costs the others nothing."""

    def __init__(self, *taps: Tap) -> None:
        self._taps = [GuardedTap(tap) for tap in taps]

    def __call__(self, ticks: Sequence[TickFields]) -> None:
        for tap in self._taps:
            tap(ticks)
