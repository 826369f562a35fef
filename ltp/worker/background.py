"""The worker's slow work, looked after on a thread of its own: what is due is started, none of it is waited
for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Final, Protocol

from ltp import metrics
from ltp.batch import default_universe
from ltp.db.engine import Engine
from ltp.worker.after_close import AfterClose
from ltp.worker.evaluation_queue import EvaluationQueue

log = logging.getLogger(__name__)
EVERY_S: Final = 1.0  # somebody may look at a page and wait
STOP_S: Final = 0.5


class BackgroundJob(Protocol):
    """Looks whether something is due each time it is called, and returns at once; `stop` ends what it has
    under way.
    """

    def __call__(self) -> None: ...

    def stop(self) -> None: ...


def of_screens(
    engine: Engine,
    *,
    session_on: Callable[[datetime], date],
    universe: str,
    fetches: bool,
    simulated: bool,
    active: Callable[[], bool],
) -> tuple[BackgroundJob, ...]:
    """Return what keeps candles and screens up to date, see AfterClose and Screenings.

    `universe`: what the built-in screeners search; empty for the largest list there is; off for nothing
    unless asked.
    """
    asked = EvaluationQueue(engine, active=active)
    if universe == default_universe.OFF:
        return (asked,)
    searched = partial(default_universe.default, engine, universe)
    after_close = AfterClose(
        engine, session_on=session_on, universe=searched, fetches=fetches, simulated=simulated, active=active
    )
    return after_close, asked


class Background(threading.Thread):
    """Calls each chore once a second; one that fails does not keep the others."""

    def __init__(
        self,
        *chores: BackgroundJob,
        wait: Callable[[threading.Event], bool] = lambda stopping: stopping.wait(EVERY_S),
    ) -> None:
        super().__init__(name="chores", daemon=True)
        self._chores, self._wait = chores, wait
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._wait(self._stopping):
            for chore in self._chores:
                try:
                    chore()
                except Exception:
                    metrics.count("chore_faults")
                    log.exception("%s failed; it is tried again", type(chore).__name__)

    def stop(self) -> None:
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)
        for chore in self._chores:
            chore.stop()
