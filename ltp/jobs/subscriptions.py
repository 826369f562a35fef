"""What should be subscribed: screener results, then what pages and API calls ask to see, in the order they first asked."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ltp.core.tick import Tick
from ltp.errors import StoreError
from ltp.jobs.ingest import Ingest
from ltp.jobs.market import Market
from ltp.jobs.master import Master

log = logging.getLogger(__name__)
LIMIT: Final = 5_000  # instruments a connection takes
LONGEST_S: Final = 3_600.0  # a wish counts no longer without being made again


class Subscriptions:
    """Call it twice a second, and whenever this worker begins to lead.

    Args:
        demand: keys that are wanted at an instant, and until when (seconds since the epoch). Raises StoreError; then everything
            stays as it is.
        forget: takes keys out of the demand that are no instruments. Raises StoreError.
        recall: what the cache knows of keys. Raises StoreError.
        set_wanted: takes the whole list, most important first.
    """

    def __init__(
        self,
        *,
        master: Master,
        market: Market,
        ingest: Ingest,
        demand: Callable[[float], Mapping[str, float]],
        forget: Callable[[Sequence[str]], None],
        recall: Callable[[Sequence[str]], list[Tick]],
        set_wanted: Callable[[Sequence[str]], None],
        active: Callable[[], bool],
        limit: int = LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._master, self._market, self._ingest = master, market, ingest
        self._forget = forget
        self._demand, self._recall, self._set_wanted, self._active, self._limit = demand, recall, set_wanted, active, limit
        self._clock, self._one_at_a_time = clock, threading.Lock()
        self._wishes: dict[str, float] = {}
        self._asked: tuple[object, ...] = ()  # what `_keys` were made of
        self._keys: list[str] = []
        self._followed: list[str] = []
        self._failing = False
        self.wanted: list[str] = []
        self.waiting: list[str] = []

    def __call__(self) -> None:
        with self._one_at_a_time:
            if self._active():
                self._look()

    def _look(self) -> None:
        self._master.refresh()
        try:
            now = self._clock()
            self._update(self._of_instruments(self._demand(now), now), now)
        except StoreError as error:
            if not self._failing:
                log.warning("%s. The subscriptions stay as they are.", error)
            self._failing = True
            return
        self._failing = False

    def _of_instruments(self, demand: Mapping[str, float], now: float) -> dict[str, float]:
        """Return the demand without what the master does not know, which is removed where it lies too."""
        known = {key: min(until, now + LONGEST_S) for key, until in demand.items() if key in self._wishes or self._master.knows(key)}
        if len(known) < len(demand) and self._master.instruments_at is not None:
            self._forget([key for key in demand if key not in known])
        return known

    def _update(self, demand: Mapping[str, float], now: float) -> None:
        keys = self._in_order(demand, now)
        if keys is self._followed:
            return
        wanted, waiting = keys[: self._limit], keys[self._limit :]
        if waiting and not self.waiting:
            log.warning("%d instruments wait: a connection takes %d", len(waiting), self._limit)
        self.waiting = waiting
        if wanted != self.wanted:
            unknown = [key for key in wanted if not self._ingest.holds(key)]
            self._ingest.follow(wanted, self._recall(unknown) if unknown else [])
            self.wanted = wanted
            self._set_wanted(wanted)
        self._followed = keys

    def _in_order(self, demand: Mapping[str, float], now: float) -> list[str]:
        """Probes, results, then wishes; the newest wish last. What the master does not know is left out.

        A wish holds until its own time also when Redis lost it, or an emptied server would cost every open page its prices.
        """
        self._wishes = {key: until for key, until in {**self._wishes, **demand}.items() if until >= now}
        asked = self._master.instruments_at, self._market.probes(), self._master.results(), list(self._wishes)
        if asked != self._asked:  # seldom, and there may be thousands of keys
            keys = dict.fromkeys((*self._market.probes(), *self._master.results(), *self._wishes))
            self._keys = [key for key in keys if self._master.knows(key)]
            self._asked = asked
        return self._keys
