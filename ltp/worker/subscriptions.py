"""What should be subscribed: what open pages show, screener results, then what API calls ask for, by
`core.clients.allotment`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp.core.clients.allotment import LIMIT, ROTATE_S, Demand, FeedPlaces, allot
from ltp.core.ticks.tick import Tick
from ltp.errors import StoreError
from ltp.store.demand import OTHERS, PAGES, PROGRAMS
from ltp.worker.ingest import Ingest
from ltp.worker.known_instruments import KnownInstruments
from ltp.worker.market_clock import MarketClock

log = logging.getLogger(__name__)
LONGEST_WISH_S: Final = (
    3_600.0  # the longest DEMAND_TTL_S: what is wanted for longer was written by another clock
)


class Subscriptions:
    """Call it twice a second, and whenever this worker begins to lead.

    Args:
        demand: what is wanted at an instant (seconds since the epoch), see store.demand.wanted. Raises
            StoreError; then
            everything stays as it is.
        drop_demand: takes keys out of the demand that are no instruments. Raises StoreError.
        recall: what the cache knows of keys. Raises StoreError.
        stored: the keys that the cache knows something of. Raises StoreError.
        forget: remove what the cache knows of keys. Raises StoreError.
        set_wanted: takes the whole list, most important first.
    """

    def __init__(
        self,
        *,
        master: KnownInstruments,
        market: MarketClock,
        ingest: Ingest,
        demand: Callable[[float], Mapping[str, Mapping[str, Demand]]],
        drop_demand: Callable[[Sequence[str]], None],
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
        self._recall, self._stored, self._forget, self._drop_demand = recall, stored, forget, drop_demand
        self._reassigned: Mapping[str, int] = {}
        self._clock, self._monotonic, self._one_at_a_time = clock, monotonic, threading.Lock()
        self._wishes: dict[str, dict[str, Demand]] = {}  # by kind and key, until a monotonic instant
        self._asked: tuple[object, ...] = ()  # what `_places` were made of
        self._places = FeedPlaces([], [], {})
        self._followed: FeedPlaces | None = None
        self._full_since: float | None = None
        self._failing = False
        self.wanted: list[str] = []
        self.waiting: list[str] = []
        self.taken: Mapping[str, int] = {}

    def __call__(self) -> None:
        with self._one_at_a_time:
            if self._active():
                self._look()

    def _look(self) -> None:
        self._master.refresh()
        try:
            self._follow_reassigned()
            now = self._clock()
            self._learn(self._demand(now), now)
            self._update(self._allotted(self._monotonic()))
        except StoreError as error:
            if not self._failing:
                log.warning("%s. The subscriptions stay as they are.", error)
            self._failing = True
            return
        self._failing = False

    def _follow_reassigned(self) -> None:
        """Let nothing that was known of a key's former instrument pass for the present one's. Raises
        StoreError.

        A key that means nothing now goes as well: exchanges give the ids of ended contracts again.
        """
        if self._master.instruments_at is None or self._master.reassigned is self._reassigned:
            return
        ended = [key for key in self._stored() if not self._master.knows(key)]
        since = {**dict.fromkeys(ended, int(self._clock() * 1e6)), **self._master.reassigned}
        if since:
            self._forget(
                [tick.key for tick in self._recall(list(since)) if tick.received_at < since[tick.key]]
            )
            self._ingest.forget(since)
        self._reassigned = self._master.reassigned

    def _known(self, keys: Sequence[str]) -> list[Tick]:
        """Return what the cache knows of `keys`; a price from the future of this clock was confirmed on no
        connection.
        """
        latest = self._clock() * 1e6
        return [
            tick if tick.received_at <= latest else tick._replace(received_at=0)
            for tick in self._recall(keys)
        ]

    def _learn(self, demand: Mapping[str, Mapping[str, Demand]], now: float) -> None:
        """Take the demand in, and have removed where it lies what the master does not know.

        A wish holds until its own time also when Redis lost it, or an emptied server would cost every open
        page its prices.
        """
        passed = self._monotonic()
        for kind, wishes in demand.items():
            held = self._wishes.get(kind, {})
            known = {
                key: wish._replace(until=passed + min(wish.until - now, LONGEST_WISH_S))
                for key, wish in wishes.items()
                if key in held or self._master.knows(key)
            }
            self._wishes[kind] = {
                key: wish for key, wish in {**held, **known}.items() if wish.until >= passed
            }
            if kind == OTHERS and len(known) < len(wishes) and self._master.instruments_at is not None:
                self._drop_demand([key for key in wishes if key not in known])

    def _update(self, places: FeedPlaces) -> None:
        if places is self._followed:
            return
        if places.waiting and not self.waiting:
            log.warning("%d instruments wait: a connection takes %d", len(places.waiting), self._limit)
        self.waiting, self.taken = places.waiting, places.taken
        if places.wanted != self.wanted:
            unknown = [key for key in places.wanted if not self._ingest.holds(key)]
            self._ingest.follow(places.wanted, self._known(unknown) if unknown else [])
            self.wanted = places.wanted
            self._set_wanted(places.wanted)
        self._followed = places

    def _allotted(self, now: float) -> FeedPlaces:
        turn = 0 if self._full_since is None else int((now - self._full_since) // ROTATE_S)
        ranks = [[(key, wish.rank) for key, wish in wishes.items()] for wishes in self._wishes.values()]
        probes, results = self._market.probes(), self._master.results()
        asked = self._master.instruments_at, probes, results, ranks, turn
        if asked != self._asked:  # seldom, and there may be thousands of keys
            pages, programs, others = (self._in_order(kind) for kind in (PAGES, PROGRAMS, OTHERS))
            # Everything is among the others too, for the sake of other programs; here that adds what those
            # wrote.
            self._places = allot(
                self._of_master(probes),
                self._of_master(pages),
                self._of_master(results),
                self._of_master([*programs, *others]),
                limit=self._limit,
                turn=turn,
            )
            self._asked = asked
            if not self._places.waiting:
                self._full_since = None
            elif self._full_since is None:
                self._full_since = now
        return self._places

    def _in_order(self, kind: str) -> list[str]:
        """Return the keys wished for, the first wishes of each client first, of those the ones made first."""
        wishes = self._wishes.get(kind, {})
        return sorted(wishes, key=lambda key: wishes[key].rank)

    def _of_master(self, keys: Sequence[str]) -> list[str]:
        return [key for key in keys if self._master.knows(key)]
