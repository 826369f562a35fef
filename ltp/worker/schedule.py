"""What runs when. The schedule only wakes jobs that look at how things are, so a missed start heals within 30
seconds.
"""

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

ZONE: Final = ZoneInfo("Asia/Kolkata")  # said outright: the host's zone may have summer time
RECONCILE_S: Final = 30.0
CALENDAR_S: Final = 30.0  # reading the tables takes some milliseconds
PHASE_S: Final = 1.0
SUBSCRIPTIONS_S: Final = 0.5  # with what the feed takes to hear of it, a wish is followed within a second
_COMPLAIN_EVERY_S: Final = 60.0
_HANGS_AFTER: Final = 3


class Reconcile:
    """Decide whether the feed should be up now, whatever it was decided before. Call it at any time from any
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
    """Args:
    reconcile: at start, within a second of each change of a phase, and every 30 s.
    subscriptions: twice a second.
    changed: says how things are, at each change of a phase and every 30 s.

    The file of late changes is read again every 30 s; when it moved something, that counts as a change of a
    phase.
    """

    def __init__(
        self,
        *,
        market: MarketClock,
        reconcile: Callable[[], None],
        subscriptions: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._market, self._reconcile, self._changed = market, reconcile, changed
        # APScheduler says each skipped run itself; while Redis hangs that is a line a second. The listener
        # says it better.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        self._scheduler = BackgroundScheduler(
            timezone=ZONE,
            executors={"default": ThreadPoolExecutor(4)},
            # Its default grace of one second would drop a start that wakes late, and the day with it.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._complaints = _Complaints()
        told_of = EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES | EVENT_JOB_EXECUTED
        self._scheduler.add_listener(self._complaints, told_of)
        self._phases: dict[str, str] = {}
        self._jobs: dict[str, tuple[Callable[[], None], float]] = {
            "subscriptions": (subscriptions, SUBSCRIPTIONS_S),
            "phase": (self._look_at_change, PHASE_S),
            "reconcile": (self.look, RECONCILE_S),
            "calendar": (self._reload, CALENDAR_S),
        }

    def start(self) -> None:
        self.clock_was_set()
        self._scheduler.start()
        self.look()

    def clock_was_set(self) -> None:
        """Let every job run from now on: the library keeps their next times by the wall clock.

        A clock that was set back would otherwise hold every job up for as long.
        """
        for name, (job, every_s) in self._jobs.items():
            trigger = IntervalTrigger(seconds=every_s, timezone=ZONE)
            self._scheduler.add_job(job, trigger, id=name, name=name, replace_existing=True)

    @property
    def thread(self) -> threading.Thread:
        """The thread that wakes the jobs, once started."""
        return cast(threading.Thread, self._scheduler._thread)

    def stop(self) -> None:
        """Start no job any more; one that runs is not waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

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


class _Complaints:
    """Log what went wrong with a job, once a minute for each job and kind; a missed start is an alarm.

    One that still runs when it is due again is none: on a slow machine that happens. Three times in a row it
    hangs.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], float] = {}
        self._left_out: Counter[str] = Counter()  # in a row, by job

    def __call__(self, event: Any) -> None:
        if event.code in (EVENT_JOB_EXECUTED, EVENT_JOB_ERROR):
            del self._left_out[event.job_id]
        if event.code == EVENT_JOB_EXECUTED:
            return
        if event.code == EVENT_JOB_MAX_INSTANCES:
            self._left_out[event.job_id] += 1
            if self._left_out[event.job_id] < _HANGS_AFTER:
                return
        metrics.count(f"schedule_events.{event.code}")
        now, what = time.monotonic(), (event.job_id, event.code)
        if now - self._last.get(what, float("-inf")) < _COMPLAIN_EVERY_S:
            return
        self._last[what] = now
        if event.code == EVENT_JOB_ERROR:
            log.error("Job %s failed: %s\n%s", event.job_id, event.exception, event.traceback)
        elif event.code == EVENT_JOB_MISSED:
            log.error("Job %s missed its time %s", event.job_id, _at(event.scheduled_run_time))
        else:
            log.warning(
                "Job %s still runs from before; it was left out %d times",
                event.job_id,
                self._left_out[event.job_id],
            )


def _at(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
