"""The thread of a web process that writes into Redis which instruments its pages show and API calls ask
for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from ltp.core.clients.allotment import LIMIT, PAGES_EACH, PROGRAMS_EACH
from ltp.core.clients.client_demand import ClientDemand
from ltp.errors import StoreError
from ltp.store import demand

logger = logging.getLogger(__name__)
RENEW_EVERY_S: Final = 15.0
TELL_EVERY_S: Final = 4.0


class DemandRenewer:
    """Renews the demand of open pages every 15 s or sooner, and writes new demand at once.

    A write that fails is not repeated: the next round includes everything that open pages still show.
    """

    def __init__(
        self,
        want: Callable[[Mapping[str, Mapping[str, int]], float, float], None],
        shown: Callable[[], Mapping[str, int]],
        knows: Callable[[str], bool],
        *,
        ttl_s: float,
        tell: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        want: writes the demand: ranks by kind and key; now; until. May raise StoreError.
        shown: returns the ranks of the instruments on open pages, by key.
        knows: returns whether a key is an instrument. Other keys become no demand, or clients could fill Redis
            and the feed's subscriptions with invented ones.
        ttl_s: life of a demand.
        tell: called every four seconds, or sooner; must not raise.
        """
        self._want, self._shown, self._knows, self._ttl_s = want, shown, knows, ttl_s
        self._tell = tell
        # Often enough for a short life too, or the worker would unsubscribe instruments of an open page.
        self.every_s = min(RENEW_EVERY_S, ttl_s / 4)
        self._wishes = {demand.PAGES: ClientDemand(PAGES_EACH), demand.PROGRAMS: ClientDemand(PROGRAMS_EACH)}
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
        """Queue demand for `keys`, as many as the client's quota covers; never waits for Redis.

        Returns:
            Whether the quota covers all of them.
        """
        known, now = [key for key in keys if self._knows(key)], time.time()
        with self._lock:
            pending = self._pending[kind]
            ranks = self._wishes[kind].want(client, known, now, now + self._ttl_s)
            for key, rank in ranks.items():
                if key in pending or len(pending) < LIMIT:
                    pending[key] = min(rank, pending.get(key, rank))
        self._wake.set()
        return len(ranks) == len(known)

    def clients(self) -> dict[str, int]:
        """Return by key how many clients of the API want it."""
        with self._lock:
            return self._wishes[demand.PROGRAMS].clients(time.time())

    def _run(self) -> None:
        renew_at = 0.0
        while True:
            self._wake.wait(min(self.every_s, TELL_EVERY_S))
            self._wake.clear()
            due = time.monotonic() >= renew_at
            if due:
                renew_at = time.monotonic() + self.every_s
            self.flush(renew=due)
            self._tell()

    def flush(self, *, renew: bool) -> None:
        """Write the queued demand, with `renew` also that of open pages."""
        with self._lock:
            ranks, self._pending = self._pending, {kind: {} for kind in self._wishes}
        if renew:
            pages = ranks[demand.PAGES]
            pages |= {
                key: min(rank, pages.get(key, rank))
                for key, rank in self._shown().items()
                if self._knows(key)
            }
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
