"""The thread of a web process that tells the worker which instruments its pages and programs show."""

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
        """Have the keys wanted as soon as Redis takes it, as far as the client's quota goes; never waits.

        Returns:
            Whether the quota is enough for all of them.
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
