"""What the views of one web process share, and the thread that tells the worker what is being shown.

Built once by `create_app`, found by a view through `services()`. Nothing here waits for Redis inside a request.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from flask import current_app

from ltp.core.allotment import LIMIT, PAGES_EACH, PROGRAMS_EACH
from ltp.core.client_address import TrustedProxies
from ltp.core.quote import Quote
from ltp.core.screener import Run
from ltp.core.sizing import Sizing
from ltp.core.wishes import Wishes
from ltp.db.catalog import Catalog
from ltp.db.engine import Engine
from ltp.db.plans import Plans
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.store import demand
from ltp.store.client import Client
from ltp.web.vitals import Vitals

logger = logging.getLogger(__name__)
EXTENSION: Final = "ltp"
RENEW_EVERY_S: Final = 15.0


@dataclass(frozen=True)
class Services:
    """`engine`: for what a form writes, and nothing else; it waits for a lock but a moment. `run` finds an older run, None when
    it cannot. `demand` asks the worker to subscribe keys for a page of the present request's client; `demand_of_program` does
    for an API call of the client named, and tells whether its quota is enough. Both return at once. `trusted`: proxies that
    may name a client.
    `plans`: those of the runs that pages show. `cell` draws a cell, live columns of plans included; the hub draws with it too.
    `sizing`: what plans are sized for unless a view says otherwise. `source` says whose prices are shown: dhanhq, simulator.
    `vitals`: of this process.
    `start` begins the background threads, once per process, and returns them: the process depends on each."""

    hub: Hub
    redis: Client
    engine: Engine
    catalog: Catalog
    run: Callable[[int], Run | None]
    plans: Plans
    cell: Callable[[Quote, str], str]
    demand: Callable[[Collection[str]], None]
    demand_of_program: Callable[[Collection[str], str], bool]
    trusted: TrustedProxies
    source: Callable[[], str]
    poll_interval_ms: int
    sizing: Sizing
    vitals: Vitals
    start: Callable[[], Sequence[threading.Thread]]


def services() -> Services:
    """Return the services of the app that handles the present request."""
    return cast(Services, current_app.extensions[EXTENSION])


class DemandRenewer:
    """Renews the demand for everything open pages show, every 15 s or sooner, and for what is new at once.

    Without Redis it forgets nothing that matters: what is still shown is asked for again with the next round.
    """

    def __init__(
        self,
        want: Callable[[Mapping[str, Mapping[str, int]], float, float], None],
        shown: Callable[[], Mapping[str, int]],
        knows: Callable[[str], bool],
        *,
        ttl_s: float,
    ) -> None:
        """Args:
        want: writes the demand: ranks by key, by kind; now; until. May raise StoreError.
        shown: the ranks of what open pages show.
        knows: only instruments become demand, or anyone could fill Redis and the feed with invented ones.
        """
        self._want, self._shown, self._knows, self._ttl_s = want, shown, knows, ttl_s
        # Well within a short life too, or what an open page shows would be unsubscribed between two rounds.
        self.every_s = min(RENEW_EVERY_S, ttl_s / 4)
        self._wishes = {demand.PAGES: Wishes(PAGES_EACH), demand.PROGRAMS: Wishes(PROGRAMS_EACH)}
        self._pending: dict[str, dict[str, int]] = {kind: {} for kind in self._wishes}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def start(self) -> threading.Thread:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="demand", daemon=True)
            self._thread.start()
        return self._thread

    def ask(self, kind: str, client: str, keys: Collection[str]) -> bool:
        """Have the keys wanted as soon as Redis takes it, as far as the client's quota goes; never waits.

        Returns:
            Whether the quota is enough for all of them.
        """
        known, now = [key for key in keys if self._knows(key)], time.time()
        with self._lock:
            pending = self._pending[kind]
            ranks = self._wishes[kind].ask(client, known, now, now + self._ttl_s)
            for key, rank in ranks.items():
                if key in pending or len(pending) < LIMIT:
                    pending[key] = min(rank, pending.get(key, rank))
        self._wake.set()
        return len(ranks) == len(known)

    def _run(self) -> None:
        renew_at = 0.0
        while True:
            self._wake.wait(self.every_s)
            self._wake.clear()
            due = time.monotonic() >= renew_at
            if due:
                renew_at = time.monotonic() + self.every_s
            self.flush(renew=due)

    def flush(self, *, renew: bool) -> None:
        """Write what was asked for, with `renew` also what open pages show."""
        with self._lock:
            ranks, self._pending = self._pending, {kind: {} for kind in self._wishes}
        if renew:
            pages = ranks[demand.PAGES]
            pages |= {key: min(rank, pages.get(key, rank)) for key, rank in self._shown().items() if self._knows(key)}
        if not any(ranks.values()):
            return
        now = time.time()
        try:
            self._want(ranks, now, now + self._ttl_s)
        except StoreError as error:
            if not self._failing:
                logger.warning("Demand cannot be renewed: %s", error)
            self._failing = True
        else:
            self._failing = False
