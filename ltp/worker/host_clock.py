"""This host's clock: what follows when it was set, and whether it agrees with the broker's.

Waits do not depend on it, but every price carries instants that were read from it: after a step those of
before and after cannot be compared, so everything begins anew. Trading hours and the age of a price depend on
it too.
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
COMPARE_WRONG_S: Final = 60.0  # while the clock is wrong: somebody may be setting it right


class HostClock:
    """For one thread; to be asked every few seconds at least.

    Args:
        forget_wishes: of before a step, in Redis: they would stand for as long as it was set back. Raises
            StoreError.
        active: the broker may be asked for the account now.
    """

    def __init__(
        self,
        *,
        ingest: Ingest,
        feed: Supervisor,
        rest: RestClient,
        schedule: Schedule,
        forget_wishes: Callable[[], None],
        active: Callable[[], bool],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest, self._feed, self._rest, self._active = ingest, feed, rest, active
        self._schedule, self._forget_wishes = schedule, forget_wishes
        self._clock, self._monotonic = clock, monotonic
        self._watch = ClockWatch(clock(), monotonic())
        self._compare_at = float("-inf")
        self._account_told = False

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
            threading.Thread(target=self.ask_account, name="account", daemon=True).start()

    def ask_account(self) -> None:
        """Ask the broker for the account, since any answer has the time by its clock.

        What it thinks of the account goes into the log once and decides nothing: the feed may work where this
        does not.
        """
        try:
            profile = self._rest.profile()
        except LTPError as error:
            log.warning("The broker's profile of this account could not be read: %s", error)
            return
        if not self._account_told:
            self._account_told = True
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
            self._forget_wishes()
        except StoreError as error:
            log.warning("%s", error)
