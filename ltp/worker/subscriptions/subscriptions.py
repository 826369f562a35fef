"""The keys to subscribe: pins, alerts, open pages, screens, watchlists and API calls, by `core.clients.allotment`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp.core.clients.allotment import LIMIT, ROTATE_S, Demand, FeedPlaces, allot
from ltp.core.formats.symbol_lists import LIST_PREFIX
from ltp.core.subscriptions.pins import Mode
from ltp.core.subscriptions.table import Reason, in_turn
from ltp.core.ticks.tick import Tick
from ltp.errors import StoreError
from ltp.store.demand import EVERY, PAGES, PROGRAMS
from ltp.worker.ingest import Ingest
from ltp.worker.known_instruments import KnownInstruments
from ltp.worker.market_clock import MarketClock
from ltp.worker.subscriptions.known_pins import KnownPins
from ltp.worker.subscriptions.known_watchlists import KnownWatchlists

log = logging.getLogger(__name__)
MOST_OF_SCREENS: Final = (
    2 * LIMIT
)  # results and members that can have a turn: a hundred lists may have 100,000
_MOST_REMEMBERED: Final = 50_000
MAX_WISH_S: Final = 3_600.0  # the longest DEMAND_TTL_S: a later end was written by a clock that is ahead


class Subscriptions:
    """Called twice a second, and whenever this worker begins to lead. Thread-safe.

    `wanted`: the keys to subscribe, most important first. `waiting`: wanted keys without a place on the
    connection. `taken`: places by kind of wish.

    Args:
        demand: the wishes at an instant (seconds since the epoch), see store.demand.wanted.
        drop_demand: removes keys that are no instruments from the demand.
        recall: the cache's ticks of keys.
        stored: the keys that have a tick in the cache.
        forget: removes keys from the cache.
        set_wanted: takes all keys to subscribe, most important first.
        set_modes: takes the modes of the keys that have one of their own.
        alerts: the keys that alerts need, most important first.
        active: whether this worker leads.
    The five callables on Redis raise StoreError; then everything stays as it is until the next call.
    """

    def __init__(
        self,
        *,
        instruments: KnownInstruments,
        pins: KnownPins,
        watchlists: KnownWatchlists,
        market: MarketClock,
        ingest: Ingest,
        demand: Callable[[float], Mapping[str, Mapping[str, Demand]]],
        drop_demand: Callable[[Sequence[str]], None],
        recall: Callable[[Sequence[str]], list[Tick]],
        stored: Callable[[], Iterable[str]],
        forget: Callable[[Sequence[str]], None],
        set_wanted: Callable[[Sequence[str]], None],
        set_modes: Callable[[Mapping[str, Mode]], None],
        active: Callable[[], bool],
        alerts: Callable[[], Sequence[str]] = tuple,
        on_reassigned: Callable[[Mapping[str, int]], None] = lambda _: None,
        on_wanted: Callable[[Sequence[str]], None] = lambda _: None,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instruments, self._market, self._ingest = instruments, market, ingest
        self._pins, self._watchlists, self._alerts = pins, watchlists, alerts
        self._demand, self._active, self._limit = demand, active, limit
        self._set_wanted, self._set_modes = set_wanted, set_modes
        self._recall, self._stored, self._forget, self._drop_demand = recall, stored, forget, drop_demand
        self._on_reassigned, self._on_wanted = on_reassigned, on_wanted
        self._reassigned: Mapping[str, int] = {}  # the cache has forgotten these
        self._clock, self._monotonic, self._one_at_a_time = clock, monotonic, threading.Lock()
        self._are_known: dict[str, bool] = {}
        self._known_at: object = None
        self._wishes: dict[str, dict[str, Demand]] = {}  # by kind and key; each ends at a monotonic instant
        self._allotted_for: tuple[object, ...] = ()  # the state that `_places` were allotted for
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
                self._update()

    @property
    def limit(self) -> int:
        return self._limit

    def reasons(self) -> list[tuple[Reason, Iterable[str]]]:
        """Return each reason why keys are wanted, with its keys."""
        pages, programs, every = (self._wishes.get(kind, {}) for kind in (PAGES, PROGRAMS, EVERY))
        return [
            (Reason("probe"), self._market.probes()),
            (Reason("pinned"), self._pins.keys),
            (Reason("alert"), self._alerts()),
            (Reason("page"), pages.keys()),
            *self._instruments.results_by_screen(),
            *(
                (Reason("watchlist", name.removeprefix(LIST_PREFIX), self._watchlists.title(name)), keys)
                for name, keys in self._watchlists.members.items()
            ),
            # What another program than a web process has written counts as a call.
            (Reason("api"), [*programs, *(key for key in every if key not in pages and key not in programs)]),
        ]

    def _update(self) -> None:
        self._instruments.refresh()
        self._pins.refresh(self._instruments.instruments_at)
        self._watchlists.refresh()
        self._set_modes(self._pins.modes)
        try:
            self._forget_reassigned()
            now = self._clock()
            self._take_wishes(self._demand(now), now)
            self._follow(self._allot(self._monotonic()))
        except StoreError as error:
            if not self._failing:
                log.warning("%s. The subscriptions stay as they are.", error)
            self._failing = True
            return
        self._failing = False

    def _forget_reassigned(self) -> None:
        """Remove the prices of a key's former instrument, which would pass for those of the present one.
        Raises StoreError.

        Keys that now mean no instrument go as well: exchanges reuse the ids of ended contracts.
        """
        if self._instruments.instruments_at is None or self._instruments.reassigned is self._reassigned:
            return
        ended = [key for key in self._stored() if not self._instruments.knows(key)]
        since = {**dict.fromkeys(ended, int(self._clock() * 1e6)), **self._instruments.reassigned}
        if since:
            self._forget(
                [tick.key for tick in self._recall(list(since)) if tick.received_at < since[tick.key]]
            )
            self._ingest.forget(since)
            self._on_reassigned(since)
        self._reassigned = self._instruments.reassigned

    def _cached(self, keys: Sequence[str]) -> list[Tick]:
        """Return the cache's ticks of `keys`. A tick dated later than now (the clock was set back) gets
        `received_at` 0: no connection has confirmed it.
        """
        latest = self._clock() * 1e6
        return [
            tick if tick.received_at <= latest else tick._replace(received_at=0)
            for tick in self._recall(keys)
        ]

    def _take_wishes(self, demand: Mapping[str, Mapping[str, Demand]], now: float) -> None:
        """Add the demand to the wishes, and remove from it the keys that are no instruments.

        A wish holds until its own end also where Redis has lost it; else an emptied server would cost every
        open page its prices.
        """
        monotonic_now = self._monotonic()
        for kind, wishes in demand.items():
            before = self._wishes.get(kind, {})
            known = {
                key: wish._replace(until=monotonic_now + min(wish.until - now, MAX_WISH_S))
                for key, wish in wishes.items()
                if key in before or self._instruments.knows(key)
            }
            self._wishes[kind] = {
                key: wish for key, wish in {**before, **known}.items() if wish.until >= monotonic_now
            }
            if kind == EVERY and len(known) < len(wishes) and self._instruments.instruments_at is not None:
                self._drop_demand([key for key in wishes if key not in known])

    def _follow(self, places: FeedPlaces) -> None:
        if places is self._followed:
            return
        if places.waiting and not self.waiting:
            log.warning(
                "%d instruments wait for a place on the feed, which carries %d",
                len(places.waiting),
                self._limit,
            )
        self.waiting, self.taken = places.waiting, places.taken
        if places.wanted != self.wanted:
            unknown = [key for key in places.wanted if not self._ingest.has_tick(key)]
            self._ingest.follow(places.wanted, self._cached(unknown) if unknown else [])
            self._on_wanted(places.wanted)
            self.wanted = places.wanted
            self._set_wanted(places.wanted)
        self._followed = places

    def _allot(self, now: float) -> FeedPlaces:
        turn = 0 if self._full_since is None else int((now - self._full_since) // ROTATE_S)
        ranks = [[(key, wish.rank) for key, wish in wishes.items()] for wishes in self._wishes.values()]
        probes, results = self._market.probes(), self._instruments.results()
        pinned, alerts, lists = self._pins.keys, list(self._alerts()), self._watchlists.members
        state = self._instruments.instruments_at, probes, pinned, alerts, results, lists, ranks, turn
        if state != self._allotted_for:  # seldom, and there may be thousands of keys
            pages, programs, others = (self._by_rank(kind) for kind in (PAGES, PROGRAMS, EVERY))
            wishes = {
                "pinned": pinned,
                "alerts": alerts,
                "pages": pages,
                "screens": in_turn(results, *lists.values())[:MOST_OF_SCREENS],
                # EVERY has the keys of pages and programs too. Here it adds those that other programs wrote.
                "programs": [*programs, *others],
            }
            self._places = allot(
                self._known(probes),
                {kind: self._known(keys) for kind, keys in wishes.items()},
                limit=self._limit,
                turn=turn,
            )
            self._allotted_for = state
            if not self._places.waiting:
                self._full_since = None
            elif self._full_since is None:
                self._full_since = now
        return self._places

    def _by_rank(self, kind: str) -> list[str]:
        """Return the keys of the wishes: the first wishes of each client first, of equal ones the oldest
        first.
        """
        wishes = self._wishes.get(kind, {})
        return sorted(wishes, key=lambda key: wishes[key].rank)

    def _known(self, keys: Sequence[str]) -> list[str]:
        """Return the keys that are instruments. Each is looked up once: that takes some microseconds, and every new
        page has thousands of them looked at.
        """
        if self._instruments.instruments_at != self._known_at or len(self._are_known) > _MOST_REMEMBERED:
            self._are_known, self._known_at = {}, self._instruments.instruments_at
        known = self._are_known
        for key in keys:
            if key not in known:
                known[key] = self._instruments.knows(key)
        return [key for key in keys if known[key]]
