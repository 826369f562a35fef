from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ltp.jobs.schedule import Reconcile, Schedule


class FakeMarket:
    def __init__(self) -> None:
        self.wants = True
        self.phase = "closed"
        self.asked_about: list[str] = []
        self.changed = False

    def probes(self) -> tuple[str, ...]:
        return ("IDX_I:13",)

    def wants_feed(self, keys: tuple[str, ...]) -> bool:
        self.asked_about = list(keys)
        return self.wants

    def phases(self) -> dict[str, str]:
        return {"NSE_EQ": self.phase}

    def reload(self) -> bool:
        return self.changed


@pytest.mark.parametrize(
    ("enabled", "leads", "wants", "up"),
    [(True, True, True, True), (False, True, True, False), (True, False, True, False), (True, True, False, False)],
)
def test_the_feed_is_up_only_when_enabled_leading_and_in_time(enabled: bool, leads: bool, wants: bool, up: bool) -> None:
    market: Any = FakeMarket()
    market.wants = wants
    decided: list[bool] = []
    reconcile = Reconcile(
        enabled=enabled, may_feed=lambda: leads, wanted=lambda: ["NSE_EQ:1"], market=market, set_enabled=decided.append
    )
    reconcile()
    reconcile()
    assert reconcile.up is up
    assert decided == [up, up]  # the level is set each time, so what was missed once heals


def test_reconcile_asks_about_everything_wanted_and_the_probes() -> None:
    market: Any = FakeMarket()
    Reconcile(enabled=True, may_feed=lambda: True, wanted=lambda: ["MCX_COMM:1"], market=market, set_enabled=lambda _up: None)()
    assert market.asked_about == ["IDX_I:13", "MCX_COMM:1"]


class Running:
    def __init__(self, **jobs: Callable[[], None]) -> None:
        self.market: Any = FakeMarket()
        self.phases: list[str] = []
        self.reconciled, self.subscribed = threading.Semaphore(0), threading.Semaphore(0)
        self.schedule = Schedule(
            market=self.market,
            reconcile=self._look,
            subscriptions=jobs.get("subscriptions", self.subscribed.release),
            changed=lambda: None,
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


def test_it_reconciles_at_start_and_looks_at_subscriptions_again_and_again() -> None:
    with Running() as running:
        assert running.reconciled.acquire(timeout=20)
        assert running.subscribed.acquire(timeout=20)
        assert running.subscribed.acquire(timeout=20)


def test_it_reconciles_at_each_change_of_a_phase() -> None:
    with Running() as running:
        for phase in ("pre_open", "continuous", "closed"):
            running.market.phase = phase
            assert running.looked_in(phase)


def test_a_clock_that_is_set_back_holds_up_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    with Running() as running:
        assert running.subscribed.acquire(timeout=20)
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() - 19_800)
        for _ in range(3):
            assert running.subscribed.acquire(timeout=20)


def test_wishes_are_looked_for_twice_a_second() -> None:
    """Up to half a second here and a quarter in the feed: a page's wish is followed within one."""
    assert {job.name: job.every_s for job in Running().schedule.jobs} == {
        "subscriptions": 0.5,
        "reconcile": 30.0,
        "phase": 1.0,
        "calendar": 30.0,
    }


def test_late_changes_are_acted_on_at_once() -> None:
    running = Running()
    (calendar,) = (job for job in running.schedule.jobs if job.name == "calendar")
    calendar._job()
    assert not running.reconciled.acquire(blocking=False)
    running.market.changed = True
    calendar._job()
    assert running.reconciled.acquire(blocking=False)


def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    ran = threading.Semaphore(0)

    def fail() -> None:
        ran.release()
        raise RuntimeError("broken")

    with caplog.at_level(logging.ERROR), Running(subscriptions=fail):
        assert ran.acquire(timeout=20)
        assert ran.acquire(timeout=20)
    assert sum("Job subscriptions failed: broken" in record.getMessage() for record in caplog.records) == 1


def test_a_job_that_hangs_is_not_started_twice_and_holds_up_no_other() -> None:
    release, running_now, most = threading.Event(), [0], [0]

    def slow() -> None:
        running_now[0] += 1
        most[0] = max(most[0], running_now[0])
        release.wait(10)
        running_now[0] -= 1

    with Running(subscriptions=slow) as running:
        for phase in ("pre_open", "continuous"):
            running.market.phase = phase
            assert running.looked_in(phase)
        release.set()
    assert most[0] == 1
