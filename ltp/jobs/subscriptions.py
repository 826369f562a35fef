"""What should be subscribed: screener results, then what pages and API calls ask to see, in the order they first asked."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp.core.tick import Tick
from ltp.errors import StoreError
from ltp.jobs.ingest import Ingest
from ltp.jobs.market import Market
from ltp.jobs.master import Master

log = logging.getLogger(__name__)
LIMIT: Final = 5_000  # instruments a connection takes
LONGEST_WISH_S: Final = 3_600.0  # the longest DEMAND_TTL_S: what is wanted for longer was written by another clock


class Subscriptions:
    """Call it twice a second, and whenever this worker begins to lead.

    Args:
        demand: keys that are wanted at an instant, and until when (seconds since the epoch). Raises StoreError; then everything
            stays as it is.
        recall: what the cache knows of keys. Raises StoreError.
        stored: the keys that the cache knows something of. Raises StoreError.
        forget: remove what the cache knows of keys. Raises StoreError.
        set_wanted: takes the whole list, most important first.
    """

    def __init__(
        self,
        *,
        master: Master,
        market: Market,
        ingest: Ingest,
        demand: Callable[[float], Mapping[str, float]],
        recall: Callable[[Sequence[str]], list[Tick]],
        stored: Callable[[], Iterable[str]],
        forget: Callable[[Sequence[str]], None],
        set_wanted: Callable[[Sequence[str]], None],
        active: Callable[[], bool],
        limit: int = LIMIT,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._master, self._market, self._ingest = master, market, ingest
        self._demand, self._set_wanted, self._active, self._limit = demand, set_wanted, active, limit
        self._recall, self._stored, self._forget = recall, stored, forget
        self._reassigned: Mapping[str, int] = {}
        self._clock, self._monotonic, self._one_at_a_time = clock, monotonic, threading.Lock()
        self._wishes: dict[str, float] = {}  # by key, the monotonic instant until which it holds
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
            self._follow_reassigned()
            now = self._clock()
            self._update(self._demand(now), now)
        except StoreError as error:
            if not self._failing:
                log.warning("%s. The subscriptions stay as they are.", error)
            self._failing = True
            return
        self._failing = False

    def _follow_reassigned(self) -> None:
        """Let nothing that was known of a key's former instrument pass for the present one's. Raises StoreError.

        A key that means nothing now goes as well: exchanges give the ids of ended contracts again.
        """
        if self._master.instruments_at is None or self._master.reassigned is self._reassigned:
            return
        ended = [key for key in self._stored() if not self._master.knows(key)]
        since = {**dict.fromkeys(ended, int(self._clock() * 1e6)), **self._master.reassigned}
        if since:
            self._forget([tick.key for tick in self._recall(list(since)) if tick.received_at < since[tick.key]])
            self._ingest.forget(since)
        self._reassigned = self._master.reassigned

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
            self._ingest.follow(wanted, self._known(unknown, now) if unknown else [])
            self.wanted = wanted
            self._set_wanted(wanted)
        self._followed = keys

    def _known(self, keys: Sequence[str], now: float) -> list[Tick]:
        """Return what the cache knows of `keys`; a price from the future of this clock was confirmed on no connection."""
        latest = now * 1e6
        return [tick if tick.received_at <= latest else tick._replace(received_at=0) for tick in self._recall(keys)]

    def _in_order(self, demand: Mapping[str, float], now: float) -> list[str]:
        """Probes, results, then wishes; the newest wish last. What the master does not know is left out.

        A wish holds until its own time also when Redis lost it, or an emptied server would cost every open page its prices.
        """
        passed = self._monotonic()
        read = {key: passed + min(until - now, LONGEST_WISH_S) for key, until in demand.items()}
        self._wishes = {key: until for key, until in {**self._wishes, **read}.items() if until >= passed}
        asked = self._master.instruments_at, self._market.probes(), self._master.results(), list(self._wishes)
        if asked != self._asked:  # seldom, and there may be thousands of keys
            keys = dict.fromkeys((*self._market.probes(), *self._master.results(), *self._wishes))
            self._keys = [key for key in keys if self._master.knows(key)]
            self._asked = asked
        return self._keys
