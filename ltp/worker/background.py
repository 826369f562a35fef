"""The worker's slow jobs, on a thread of their own: each starts its work when due and never waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final, Protocol

from ltp import metrics
from ltp.batch import default_universe
from ltp.batch.master_import import last_import
from ltp.db.engine import Engine
from ltp.worker.after_close import AfterClose
from ltp.worker.alerts.blind_fetch import BlindFetch
from ltp.worker.alerts.values_job import ValuesJob
from ltp.worker.bars.bar_upkeep import BarRefill, BarUpkeep
from ltp.worker.bars.coverage_log import GapEnds
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
    gap_ends: Callable[[], GapEnds] = GapEnds,
    blind: Callable[[], Sequence[str]] = tuple,
) -> tuple[BackgroundJob, ...]:
    """Return every slow job of a worker; for the arguments see DailyImport and AfterClose.

    Args:
        universe: a name; "" for the largest list there is; "off": screens are evaluated on request only.
        gap_ends: returns the ends of gaps of the feed's coverage so far.
        blind: returns the instruments of alerts that need the broker's newest bars.
    """
    upkeep, queue = BarUpkeep(active=active), EvaluationQueue(engine, active=active)
    master = DailyImport(master_url, active=active, last_import=partial(last_import, engine))
    jobs: list[BackgroundJob] = [master, upkeep]
    after_close = None
    if universe != default_universe.OFF:
        chosen = partial(default_universe.default, engine, universe)
        evaluates = partial(AfterClose, engine, session_on=session_on, universe=chosen, active=active)
        after_close = evaluates(fetches=fetches, simulated=simulated)
        jobs.append(after_close)
    jobs += [ValuesJob(engine, active=active), queue]

    def fetches_candles() -> bool:
        return after_close is not None and after_close.fetching

    refills: tuple[BarRefill | GapRefill, ...] = ()
    if fetches:
        refill = BarRefill(session_on=session_on, simulated=simulated, active=active, waits=fetches_candles)
        refills = refill, _gap_refill(refill, gap_ends, active)

    def calls_charts() -> bool:
        return fetches_candles() or any(each.running for each in refills)

    busy = _any_runs(upkeep, queue)
    history = HistoryQueue(engine, active=active, waits=calls_charts, busy=busy)
    last: list[BackgroundJob] = [
        history
    ]  # after those that it makes way for, so that it ends in the same round
    if fetches:
        last.append(BlindFetch(keys=blind, active=active, waits=lambda: calls_charts() or history.running))
    return (*jobs, *refills, *last)


def _any_runs(*jobs: BarUpkeep | EvaluationQueue) -> Callable[[], bool]:
    return lambda: any(job.running for job in jobs)


def _gap_refill(first: BarRefill, gap_ends: Callable[[], GapEnds], active: Callable[[], bool]) -> GapRefill:
    return GapRefill(changes=gap_ends, active=active, waits=lambda: first.waiting or first.running)


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
