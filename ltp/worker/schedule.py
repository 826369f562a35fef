"""The schedule of the worker's periodic jobs. Each acts on the state it finds, so a missed run is made up."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from ltp import metrics
from ltp.worker.market_clock import MarketClock

log = logging.getLogger(__name__)

ZONE: Final = ZoneInfo("Asia/Kolkata")  # not the host's zone, which may have summer time
RECONCILE_S: Final = 30.0
CALENDAR_S: Final = 30.0  # reading the tables takes some milliseconds
PHASE_S: Final = 1.0
SUBSCRIPTIONS_S: Final = 0.5  # with the feed's own delay of a quarter, a wish is followed within a second
_LOG_EVERY_S: Final = 60.0
_HANGS_AFTER: Final = 3


class Reconcile:
    """Decides whether the feed should be up now, whatever the last decision was. Call it at any time from any
    thread.

    `up`: the last decision.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        may_feed: Callable[[], bool],
        wanted: Callable[[], Iterable[str]],
        market: MarketClock,
        set_enabled: Callable[[bool], None],
    ) -> None:
        self._enabled, self._may_feed, self._wanted = enabled, may_feed, wanted
        self._market, self._set_enabled = market, set_enabled
        self.up = False

    def __call__(self) -> None:
        up = (
            self._enabled
            and self._may_feed()
            and self._market.wants_feed((*self._market.probes(), *self._wanted()))
        )
        if up != self.up:
            log.info("The feed should be %s", "up" if up else "down")
        self.up = up
        self._set_enabled(up)


class Schedule:
    """Reads the file of late changes every 30 s; where it changes the trading hours, that counts as a change
    of a phase.

    Args:
        reconcile: called at start, within a second of each change of a phase, and every 30 s.
        subscriptions: called twice a second.
        request_beat: publishes the state of feed and market; called after each `reconcile`.
    """

    def __init__(
        self,
        *,
        market: MarketClock,
        reconcile: Callable[[], None],
        subscriptions: Callable[[], None],
        request_beat: Callable[[], None],
    ) -> None:
        self._market, self._reconcile, self._request_beat = market, reconcile, request_beat
        # APScheduler logs each skipped run, which is a line a second while Redis hangs. `_JobFaults` logs
        # instead.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        self._scheduler = BackgroundScheduler(
            timezone=ZONE,
            executors={"default": ThreadPoolExecutor(4)},
            # Its default grace of one second would drop a start that wakes late, and the day with it.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        events = EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_EXECUTED
        self._scheduler.add_listener(_JobFaults(), events)
        self._phases: dict[str, str] = {}
        self._jobs: dict[str, tuple[Callable[[], None], float]] = {
            "subscriptions": (subscriptions, SUBSCRIPTIONS_S),
            "phase": (self._follow_phase, PHASE_S),
            "reconcile": (self._reconcile_and_publish, RECONCILE_S),
            "calendar": (self._reload, CALENDAR_S),
        }

    def start(self) -> None:
        self.clock_was_set()
        self._scheduler.start()
        self._reconcile_and_publish()

    def clock_was_set(self) -> None:
        """Schedule every job from now on. The library keeps their next times by the wall clock, so a clock
        that was set back would hold up every job for as long.
        """
        for name, (job, every_s) in self._jobs.items():
            trigger = IntervalTrigger(seconds=every_s, timezone=ZONE)
            self._scheduler.add_job(job, trigger, id=name, name=name, replace_existing=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread that starts the jobs; exists after `start`."""
        return cast(threading.Thread, self._scheduler._thread)

    def stop(self) -> None:
        """Start no more jobs; one that runs is not waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _reconcile_and_publish(self) -> None:
        self._reconcile()
        self._request_beat()

    def _follow_phase(self) -> None:
        phases = self._market.phases()
        if phases != self._phases:
            self._phases = phases
            self._reconcile_and_publish()

    def _reload(self) -> None:
        if self._market.reload():
            self._reconcile_and_publish()


class _JobFaults:
    """Logs failed and missed runs, once a minute for each job and kind.

    A job that still runs when it is due again is no fault, since that happens on a slow machine; three times
    in a row it hangs.
    """

    def __init__(self) -> None:
        self._logged_at: dict[tuple[str, int], float] = {}
        self._skipped: Counter[str] = Counter()  # in a row, by job

    def __call__(self, event: Any) -> None:
        if event.code in (EVENT_JOB_EXECUTED, EVENT_JOB_ERROR):
            del self._skipped[event.job_id]
        if event.code == EVENT_JOB_EXECUTED:
            return
        if event.code == EVENT_JOB_MAX_INSTANCES:
            self._skipped[event.job_id] += 1
            if self._skipped[event.job_id] < _HANGS_AFTER:
                return
        metrics.count(f"schedule_events.{event.code}")
        now, fault = time.monotonic(), (event.job_id, event.code)
        if now - self._logged_at.get(fault, float("-inf")) < _LOG_EVERY_S:
            return
        self._logged_at[fault] = now
        if event.code == EVENT_JOB_ERROR:
            log.error("Job %s failed: %s\n%s", event.job_id, event.exception, event.traceback)
        elif event.code == EVENT_JOB_MISSED:
            log.error("Job %s missed its time %s", event.job_id, _iso(event.scheduled_run_time))
        else:
            log.warning(
                "Job %s still runs from before; it was left out %d times",
                event.job_id,
                self._skipped[event.job_id],
            )


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
