"""The worker's slow jobs, on a thread of their own: each starts its work when due and never waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Final, Protocol

from ltp import metrics
from ltp.batch import default_universe
from ltp.batch.master_import import last_import
from ltp.db.engine import Engine
from ltp.worker.after_close import AfterClose
from ltp.worker.bars.bar_upkeep import BarRefill, BarUpkeep
from ltp.worker.bars.gap_refill import GapRefill
from ltp.worker.daily_import import DailyImport
from ltp.worker.evaluation_queue import EvaluationQueue
from ltp.worker.history.queue import HistoryQueue

log = logging.getLogger(__name__)
EVERY_S: Final = 1.0  # a visitor may have a page open that waits for an evaluation
STOP_S: Final = 0.5


class BackgroundJob(Protocol):
    """Called once a second: starts its work if due, and returns at once. `stop` ends work under way."""

    def __call__(self) -> None: ...

    def stop(self) -> None: ...


def all_jobs(
    engine: Engine,
    *,
    master_url: str,
    session_on: Callable[[datetime], date],
    universe: str,
    fetches: bool,
    simulated: bool,
    active: Callable[[], bool],
    gap_ends: Callable[[], int] = lambda: 0,
) -> tuple[BackgroundJob, ...]:
    """Return every slow job of a worker; for the arguments see DailyImport and AfterClose.

    Args:
        universe: a name; "" for the largest list there is; "off": screens are evaluated on request only.
        gap_ends: returns a number that rises with each end of a gap of the feed's coverage.
    """
    upkeep, queue = BarUpkeep(active=active), EvaluationQueue(engine, active=active)
    jobs: list[BackgroundJob] = [
        DailyImport(master_url, active=active, last_import=partial(last_import, engine)),
        upkeep,
    ]
    after_close = None
    if universe != default_universe.OFF:
        after_close = AfterClose(
            engine,
            session_on=session_on,
            universe=partial(default_universe.default, engine, universe),
            fetches=fetches,
            simulated=simulated,
            active=active,
        )
        jobs.append(after_close)
    jobs.append(queue)

    def fetches_candles() -> bool:
        return after_close is not None and after_close.fetching

    calls_charts: list[Callable[[], bool]] = [fetches_candles]
    if fetches:
        # After the jobs that each makes way for, so that it ends in the same round.
        refill = BarRefill(session_on=session_on, simulated=simulated, active=active, waits=fetches_candles)
        gaps = GapRefill(changes=gap_ends, active=active, waits=lambda: refill.waiting or refill.running)
        jobs += [refill, gaps]
        calls_charts += [lambda: refill.running, lambda: gaps.running]
    history = HistoryQueue(
        engine,
        active=active,
        waits=lambda: any(each() for each in calls_charts),
        busy=lambda: upkeep.running or queue.running,
    )
    jobs.append(history)
    return tuple(jobs)


class Background(threading.Thread):
    """Calls each job once a second; one that fails does not hold up the others."""

    def __init__(
        self,
        *jobs: BackgroundJob,
        wait: Callable[[threading.Event], bool] = lambda stopping: stopping.wait(EVERY_S),
    ) -> None:
        super().__init__(name="background", daemon=True)
        self._jobs, self._wait = jobs, wait
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._wait(self._stopping):
            for job in self._jobs:
                try:
                    job()
                except Exception:
                    metrics.count("background_faults")
                    log.exception("%s failed; it is tried again", type(job).__name__)

    def stop(self) -> None:
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)
        for job in self._jobs:
            job.stop()
