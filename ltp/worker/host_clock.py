"""This host's clock: a new start after it was set, and its comparison with the broker's.

Waits do not depend on it, but each price carries instants that were read from it. After a step the instants
of before and after cannot be compared, so everything begins anew. Trading hours and the age of a price depend
on it too.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.core.ticks.clock_step import ClockWatch
from ltp.errors import LTPError, StoreError
from ltp.feed.rest import CLOCK_WRONG_S, RestClient
from ltp.feed.supervisor import Supervisor
from ltp.worker.ingest import Ingest
from ltp.worker.schedule import Schedule

log = logging.getLogger(__name__)

COMPARE_S: Final = 600.0
COMPARE_WRONG_S: Final = 60.0  # while the clock is wrong: an operator may be setting it right


class HostClock:
    """For one thread, which calls `look` every few seconds at least.

    Args:
        forget_demand: removes the demand from Redis. Wishes made before a step would stand for as long as the
            clock was set back. Raises StoreError.
        active: whether the broker may be asked for the account now.
    """

    def __init__(
        self,
        *,
        ingest: Ingest,
        feed: Supervisor,
        rest: RestClient,
        schedule: Schedule,
        forget_demand: Callable[[], None],
        active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest, self._feed, self._rest, self._active = ingest, feed, rest, active
        self._schedule, self._forget_demand = schedule, forget_demand
        self._clock, self._monotonic = clock, monotonic
        self._watch = ClockWatch(clock(), monotonic())
        self._compare_at = float("-inf")
        self._account_logged = False

    def look(self) -> None:
        """Begin anew where the clock was set; compare it with the broker's when that is due."""
        now = self._monotonic()
        step_s = self._watch.step(self._clock(), now)
        if step_s:
            self._begin_anew(step_s)
            self._compare_at = now
        if now >= self._compare_at and self._active():
            wrong = abs(self._rest.clock_error_s or 0.0) > CLOCK_WRONG_S
            self._compare_at = now + (COMPARE_WRONG_S if wrong else COMPARE_S)
            threading.Thread(target=self.read_account, name="account", daemon=True).start()

    def read_account(self) -> None:
        """Read the broker's profile of the account, because each answer of the broker carries its time.

        The profile itself is logged once and decides nothing: the feed may work where this call does not.
        """
        try:
            profile = self._rest.profile()
        except LTPError as error:
            log.warning("The broker's profile of this account could not be read: %s", error)
            return
        if not self._account_logged:
            self._account_logged = True
            plan, until = profile.get("dataPlan", "unknown"), profile.get("tokenValidity", "unknown")
            log.info("Account: data plan %s, token valid until %s", plan, until)

    def _begin_anew(self, step_s: float) -> None:
        metrics.count("clock_steps")
        log.warning(
            "The clock of this host was set by %+.1f s; a new connection and a new epoch begin", step_s
        )
        self._rest.clock_error_s = None
        self._schedule.clock_was_set()
        self._ingest.clock_was_set(step_s)
        self._feed.renew(f"The clock of this host was set by {step_s:+.1f} s")
        try:
            self._forget_demand()
        except StoreError as error:
            log.warning("%s", error)
