from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

import apscheduler.schedulers.base as base
import apscheduler.triggers.interval as interval
import pytest
from apscheduler.events import (
    EVENT_JOB_EXECUTED,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
)

from ltp import metrics
from ltp.worker import schedule
from ltp.worker.schedule import ZONE, Reconcile, Schedule


class FakeMarket:
    def __init__(self) -> None:
        self.wants = True
        self.phase = "closed"
        self.judged_keys: list[str] = []
        self.changed = False

    def probes(self) -> tuple[str, ...]:
        return ("IDX_I:13",)

    def wants_feed(self, keys: tuple[str, ...]) -> bool:
        self.judged_keys = list(keys)
        return self.wants

    def phases(self) -> dict[str, str]:
        return {"NSE_EQ": self.phase}

    def reload(self) -> bool:
        return self.changed


@pytest.mark.parametrize(
    ("enabled", "leads", "wants", "up"),
    [
        (True, True, True, True),
        (False, True, True, False),
        (True, False, True, False),
        (True, True, False, False),
    ],
)
def test_the_feed_is_up_only_when_enabled_leading_and_in_time(
    enabled: bool, leads: bool, wants: bool, up: bool
) -> None:
    market: Any = FakeMarket()
    market.wants = wants
    decided: list[bool] = []
    reconcile = Reconcile(
        enabled=enabled,
        may_feed=lambda: leads,
        wanted=lambda: ["NSE_EQ:1"],
        market=market,
        set_enabled=decided.append,
    )
    reconcile()
    reconcile()
    assert reconcile.up is up
    assert decided == [up, up]  # set each time, so that a call which was missed heals


def test_reconcile_depends_on_all_wanted_keys_and_the_probes() -> None:
    market: Any = FakeMarket()
    Reconcile(
        enabled=True,
        may_feed=lambda: True,
        wanted=lambda: ["MCX_COMM:1"],
        market=market,
        set_enabled=lambda _up: None,
    )()
    assert market.judged_keys == ["IDX_I:13", "MCX_COMM:1"]


class Running:
    def __init__(self, **jobs: Callable[[], None]) -> None:
        self.market: Any = FakeMarket()
        self.phases: list[str] = []
        self.reconciled, self.subscribed = threading.Semaphore(0), threading.Semaphore(0)
        self.schedule = Schedule(
            market=self.market,
            reconcile=self._look,
            subscriptions=jobs.get("subscriptions", self.subscribed.release),
            request_beat=lambda: None,
        )

    def _look(self) -> None:
        self.phases.append(self.market.phase)
        self.reconciled.release()

    def looked_in(self, phase: str) -> bool:
        """Wait until it was reconciled in a phase."""
        while phase not in self.phases:
            if not self.reconciled.acquire(timeout=20):
                return False
        return True

    def __enter__(self) -> Running:
        self.schedule.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.schedule.stop()


def test_it_reconciles_at_start_and_updates_subscriptions_again_and_again() -> None:
    with Running() as running:
        assert running.reconciled.acquire(timeout=20)
        assert running.subscribed.acquire(timeout=20)
        assert running.subscribed.acquire(timeout=20)


def test_it_reconciles_at_each_change_of_a_phase() -> None:
    with Running() as running:
        for phase in ("pre_open", "continuous", "closed"):
            running.market.phase = phase
            assert running.looked_in(phase)


def test_times_are_indias_in_any_zone_of_the_host() -> None:
    with Running() as running:
        scheduler = running.schedule._scheduler
        assert scheduler.timezone == ZONE
        assert {
            str(job.trigger.timezone) for job in scheduler.get_jobs() if hasattr(job.trigger, "timezone")
        } == {"Asia/Kolkata"}
        assert all(
            (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)
            for job in scheduler.get_jobs()
        )


def test_subscriptions_are_updated_twice_a_second() -> None:
    """Half a second here and a quarter in the feed: a wish of a page is followed within a second."""
    with Running() as running:
        assert running.schedule._scheduler.get_job("subscriptions").trigger.interval <= timedelta(seconds=0.5)


def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    ran = threading.Semaphore(0)

    def fail() -> None:
        ran.release()
        raise RuntimeError("broken")

    with caplog.at_level(logging.ERROR), Running(subscriptions=fail):
        assert ran.acquire(timeout=20)
        assert ran.acquire(timeout=20)
    assert sum("Job subscriptions failed: broken" in record.getMessage() for record in caplog.records) == 1


def test_a_job_that_still_runs_is_not_started_twice(wait_for: Callable[..., Any]) -> None:
    release, running_now, most = threading.Event(), [0], [0]
    skipped = metrics.value("schedule_events.65536")

    def slow() -> None:
        running_now[0] += 1
        most[0] = max(most[0], running_now[0])
        release.wait(10)
        running_now[0] -= 1

    with Running(subscriptions=slow):
        wait_for(lambda: metrics.value("schedule_events.65536") > skipped)
        release.set()
    assert most[0] == 1


def test_a_job_that_was_skipped_three_times_in_a_row_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = schedule._JobFaults()
    ran, skipped = (
        JobExecutionEvent(EVENT_JOB_EXECUTED, "subscriptions", "default", None),
        JobSubmissionEvent(EVENT_JOB_MAX_INSTANCES, "subscriptions", "default", []),
    )
    for event in (skipped, skipped, ran, skipped, skipped):
        faults(event)
    assert caplog.messages == []
    faults(skipped)
    faults(skipped)
    assert caplog.messages == ["Job subscriptions still runs from before; it was left out 3 times"]


def test_a_clock_that_was_set_back_holds_up_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with Running() as running:
        assert running.subscribed.acquire(timeout=20)
        for module in (base, interval):
            monkeypatch.setattr(module, "datetime", _Behind)
        running.schedule.clock_was_set()
        for _ in range(3):
            assert running.subscribed.acquire(timeout=20)


class _Behind(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) - timedelta(hours=5, minutes=30)


def test_late_changes_are_acted_on_at_once() -> None:
    running = Running()
    running.schedule._reload()
    assert not running.reconciled.acquire(blocking=False)
    running.market.changed = True
    running.schedule._reload()
    assert running.reconciled.acquire(blocking=False)
