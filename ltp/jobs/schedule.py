"""What runs when. Each job looks at how things are, so a missed start heals with the next.

Every wait is on the monotonic clock: a host clock that is set back would else hold every job up for as long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from ltp import metrics
from ltp.jobs.market import Market

log = logging.getLogger(__name__)

RECONCILE_S: Final = 30.0
CALENDAR_S: Final = 30.0  # reading the tables takes some milliseconds
PHASE_S: Final = 1.0
SUBSCRIPTIONS_S: Final = 0.5  # with what the feed takes to hear of it, a wish is followed within a second
_COMPLAIN_EVERY_S: Final = 60.0
_STOP_S: Final = 0.5


class Reconcile:
    """Decide whether the feed should be up now, whatever it was decided before. Call it at any time from any thread.

    `up`: the last decision.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        may_feed: Callable[[], bool],
        wanted: Callable[[], Iterable[str]],
        market: Market,
        set_enabled: Callable[[bool], None],
    ) -> None:
        self._enabled, self._may_feed, self._wanted = enabled, may_feed, wanted
        self._market, self._set_enabled = market, set_enabled
        self.up = False

    def __call__(self) -> None:
        up = self._enabled and self._may_feed() and self._market.wants_feed((*self._market.probes(), *self._wanted()))
        if up != self.up:
            log.info("The feed should be %s", "up" if up else "down")
        self.up = up
        self._set_enabled(up)


class Repeated(threading.Thread):
    """Runs a job at once and then every so many seconds, never twice at a time. A job that hangs holds up no other."""

    def __init__(
        self, name: str, job: Callable[[], None], every_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._job, self.every_s, self._monotonic = job, every_s, monotonic
        self._stopping = threading.Event()
        self._complained = float("-inf")

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        due = self._monotonic()
        while not self._stopping.wait(max(0.0, due - self._monotonic())):
            due = self._monotonic() + self.every_s
            try:
                self._job()
            except Exception as error:  # noqa: BLE001 - the next run may succeed, and without it nothing would happen any more
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        metrics.count(f"schedule_failures.{self.name}")
        now = self._monotonic()
        if now - self._complained >= _COMPLAIN_EVERY_S:
            self._complained = now
            log.error("Job %s failed: %s", self.name, error, exc_info=True)


class Schedule:
    """Args:
    reconcile: at start, within a second of each change of a phase, and every 30 s.
    subscriptions: twice a second.
    changed: says how things are, at each change of a phase and every 30 s.

    The file of late changes is read again every 30 s; when it moved something, that counts as a change of a phase.
    """

    def __init__(
        self,
        *,
        market: Market,
        reconcile: Callable[[], None],
        subscriptions: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._market, self._reconcile, self._changed = market, reconcile, changed
        self._phases: dict[str, str] = {}
        self.jobs = (
            Repeated("subscriptions", subscriptions, SUBSCRIPTIONS_S),
            Repeated("reconcile", self.look, RECONCILE_S),
            Repeated("phase", self._look_at_change, PHASE_S),
            Repeated("calendar", self._reload, CALENDAR_S),
        )

    def start(self) -> None:
        for job in self.jobs:
            job.start()

    def stop(self) -> None:
        """Start no job any more; one that runs is waited for shortly."""
        for job in self.jobs:
            job.stop()
        until = time.monotonic() + _STOP_S
        for job in self.jobs:
            if job.is_alive():
                job.join(max(0.0, until - time.monotonic()))

    def look(self) -> None:
        """Look at how things are now, and say so."""
        self._reconcile()
        self._changed()

    def _look_at_change(self) -> None:
        phases = self._market.phases()
        if phases != self._phases:
            self._phases = phases
            self.look()

    def _reload(self) -> None:
        if self._market.reload():
            self.look()
