from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ltp.errors import FeedError, StoreError
from ltp.worker.host_clock import HostClock


class Host:
    """Stands for ingest, feed, REST and Redis at once."""

    def __init__(self) -> None:
        self.wall, self.passed, self.active = 1_000.0, 50.0, True
        self.clock_error_s: float | None = None
        self.calls: list[Any] = []
        self.failure: Exception | None = None
        shape: Any = self
        self.schedule: Any = SimpleNamespace(clock_was_set=lambda: self.calls.append("schedule"))
        self.clock = HostClock(
            ingest=shape,
            feed=shape,
            rest=shape,
            schedule=self.schedule,
            forget_demand=self.forget,
            active=lambda: self.active,
            clock=lambda: self.wall,
            monotonic=lambda: self.passed,
        )
        self.clock.read_account = lambda: self.calls.append("account")  # type: ignore[method-assign]

    def clock_was_set(self, step_s: float) -> None:
        self.calls.append(step_s)

    def renew(self, sentence: str) -> None:
        self.calls.append(sentence)

    def forget(self) -> None:
        self.calls.append("forget")
        if self.failure:
            raise self.failure

    def profile(self) -> dict[str, str]:
        raise FeedError("refused")

    def look(self, passed_s: float, set_by_s: float = 0.0) -> list[Any]:
        self.calls.clear()
        self.passed += passed_s
        self.wall += passed_s + set_by_s
        self.clock.look()
        return list(self.calls)


def test_a_step_begins_everything_anew_and_reads_the_brokers_time(wait_for: Any) -> None:
    host = Host()
    host.look(0.5)
    host.clock_error_s = 3.0
    host.look(0.5, set_by_s=-19_800.0)
    wait_for(lambda: len(host.calls) == 5)
    assert host.calls == [
        "schedule",
        -19_800.0,
        "The clock of this host was set by -19800.0 s",
        "forget",
        "account",
    ]
    assert host.clock_error_s is None
    assert host.look(0.5) == []


@pytest.mark.parametrize(("error_s", "after_s"), [(None, 600.0), (0.4, 600.0), (-60.0, 60.0)])
def test_a_wrong_clock_is_compared_more_often(wait_for: Any, error_s: float | None, after_s: float) -> None:
    host = Host()
    host.clock_error_s = error_s
    host.look(0.5)
    assert host.look(after_s - 1.0) == []
    host.look(1.0)
    wait_for(lambda: host.calls == ["account"])


def test_a_worker_that_stands_by_makes_no_call() -> None:
    host = Host()
    host.active = False
    assert host.look(1_000.0) == []


def test_a_failure_of_redis_or_the_broker_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    host = Host()
    host.failure = StoreError("Redis is away")
    assert host.look(0.5, set_by_s=60.0)[:4] == [
        "schedule",
        60.0,
        "The clock of this host was set by +60.0 s",
        "forget",
    ]
    HostClock.read_account(host.clock)
    assert [record.getMessage() for record in caplog.records][1:] == [
        "Redis is away",
        "The broker's profile of this account could not be read: refused",
    ]
