"""What the views of one web process share, and the thread that tells the worker what is being shown.

Built once by `create_app`, found by a view through `services()`. Nothing here waits for Redis inside a request.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast

from flask import current_app

from ltp.core.client_address import TrustedProxies
from ltp.core.quote import Quote
from ltp.core.screener import Run
from ltp.core.sizing import Sizing
from ltp.db.catalog import Catalog
from ltp.db.engine import Engine
from ltp.db.plans import Plans
from ltp.errors import StoreError
from ltp.hub.hub import Hub
from ltp.store.client import Client
from ltp.web.vitals import Vitals

logger = logging.getLogger(__name__)
EXTENSION: Final = "ltp"
RENEW_EVERY_S: Final = 15.0
_MAX_PENDING: Final = 5_000  # what one feed connection can subscribe


@dataclass(frozen=True)
class Services:
    """`engine`: for what a form writes, and nothing else; it waits for a lock but a moment. `run` finds an older run, None when
    it cannot. `demand` asks the worker to subscribe keys and returns at once.
    `plans`: those of the runs that pages show. `cell` draws a cell, live columns of plans included; the hub draws with it too.
    `sizing`: what plans are sized for unless a view says otherwise. `source` says whose prices are shown: dhanhq, simulator.
    `trusted`: proxies that may name a client. `vitals`: of this process.
    `start` begins the background threads, once per process."""

    hub: Hub
    redis: Client
    engine: Engine
    catalog: Catalog
    run: Callable[[int], Run | None]
    plans: Plans
    cell: Callable[[Quote, str], str]
    demand: Callable[[Collection[str]], None]
    source: Callable[[], str]
    poll_interval_ms: int
    sizing: Sizing
    trusted: TrustedProxies
    vitals: Vitals
    start: Callable[[], None]


def services() -> Services:
    """Return the services of the app that handles the present request."""
    return cast(Services, current_app.extensions[EXTENSION])


class DemandRenewer:
    """Renews the demand for everything open pages show, every 15 s or sooner, and for what is new at once.

    Without Redis it forgets nothing that matters: what is still shown is asked for again with the next round.
    """

    def __init__(
        self, want: Callable[[Sequence[str], float], None], shown: Callable[[], Collection[str]], *, ttl_s: float
    ) -> None:
        """`want(keys, until)` writes the demand and may raise StoreError; `shown()` names the keys in open pages."""
        self._want, self._shown, self._ttl_s = want, shown, ttl_s
        # Well within a short life too, or what an open page shows would be unsubscribed between two rounds.
        self.every_s = min(RENEW_EVERY_S, ttl_s / 4)
        self._pending: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="demand", daemon=True)
            self._thread.start()

    def ask(self, keys: Collection[str]) -> None:
        """Have the keys wanted as soon as Redis takes it; never waits."""
        with self._lock:
            if len(self._pending) < _MAX_PENDING:
                self._pending.update(keys)
        self._wake.set()

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
            keys, self._pending = self._pending, set()
        if renew:
            keys |= set(self._shown())
        if not keys:
            return
        try:
            self._want(sorted(keys), time.time() + self._ttl_s)
        except StoreError as error:
            if not self._failing:
                logger.warning("Demand cannot be renewed: %s", error)
            self._failing = True
        else:
            self._failing = False
