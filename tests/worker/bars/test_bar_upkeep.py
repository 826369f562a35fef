from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.errors import NotFoundError
from ltp.worker.bars.bar_upkeep import RETRY_S, START_S, BarRefill, BarUpkeep
from tests.worker.fake_command import FakeCommand

NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # 12:00 in India
COMMAND = ["candles", "minutes", "upkeep"]


class Day:
    """BarUpkeep; the test sets the time and the lease."""

    def __init__(self) -> None:
        self.command, self.active, self.now, self.elapsed = FakeCommand(), True, NOON, 0.0
        command: Any = self.command
        self.job = BarUpkeep(
            active=lambda: self.active,
            command=command,
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )


def test_the_upkeep_runs_once_after_the_start_and_once_a_day_at_one() -> None:
    day = Day()
    day.job()
    assert day.command.started == []
    day.elapsed = START_S
    day.job()
    day.job()
    assert day.command.started == [COMMAND]
    day.command.end = (0, "12 sessions packed, 3 blocks deleted.")
    day.job()
    day.elapsed += RETRY_S
    day.now = datetime(2026, 11, 23, 19, 29, tzinfo=UTC)  # 00:59 in India
    day.job()
    assert day.command.started == [COMMAND]
    day.now = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    day.job()
    assert day.command.started == [COMMAND, COMMAND]


def test_a_worker_that_stands_by_leaves_it_to_the_leader() -> None:
    day = Day()
    day.active, day.elapsed = False, START_S
    day.job()
    assert day.command.started == []
    day.active = True
    day.job()
    assert day.command.started == [COMMAND]


def test_an_end_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    day = Day()
    day.elapsed = START_S
    with caplog.at_level(logging.INFO):
        day.job()
        day.command.end = (1, "The database is away.")
        day.job()
    records = [each for each in caplog.records if each.name == "ltp.worker.bars.bar_upkeep"]
    assert [(each.levelname, each.message) for each in records] == [("WARNING", "The database is away.")]


def test_a_command_that_cannot_be_started_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    day = Day()
    day.elapsed, day.command.refuses = START_S, True
    day.job()
    day.job()
    records = [each.message for each in caplog.records if each.name == "ltp.worker.bars.bar_upkeep"]
    assert records == ["The upkeep of one-minute bars cannot be started: Cannot allocate memory"]
    day.command.refuses = False
    day.elapsed += RETRY_S
    day.job()
    assert day.command.started == [COMMAND]


def test_an_upkeep_that_failed_is_repeated() -> None:
    day = Day()
    day.elapsed = START_S
    day.job()
    day.command.end = (1, "The database is away.")
    day.job()
    assert day.command.started == [COMMAND]
    day.elapsed += RETRY_S
    day.job()
    assert day.command.started == [COMMAND, COMMAND]


def test_a_stop_ends_the_command() -> None:
    day = Day()
    day.job.stop()
    assert day.command.stopped


FRIDAY, MONDAY = "2026-11-20", "2026-11-23"


def fetch(first: str, last: str) -> list[str]:
    return ["candles", "minutes", "fetch", "--from", first, "--to", last]


class Refill:
    """BarRefill on Monday at 16:09 in India, long after its start; the test sets the time."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.command, self.active, self.waits, self.elapsed = FakeCommand(), True, False, 0.0
        self.now = datetime(2026, 11, 23, 16, 9, tzinfo=IST)
        self.calendar, self.unknown = Calendar.load(), False
        command: Any = self.command
        self.job = BarRefill(
            session_on=self.session_on,
            simulated=simulated,
            active=lambda: self.active,
            waits=lambda: self.waits,
            command=command,
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )
        self.elapsed = START_S

    def session_on(self, at: datetime) -> date:
        if self.unknown:
            raise NotFoundError("session", "NSE_EQ")
        return self.calendar.session_date("NSE_EQ", at)

    def end(self, status: int) -> None:
        self.command.end = (status, "12 bars fetched.")
        self.job()


def test_bars_are_fetched_once_after_each_session_with_those_of_the_session_before() -> None:
    refill = Refill()
    refill.job()
    assert refill.command.started == [fetch("2026-11-19", FRIDAY)]
    refill.end(0)
    refill.now += timedelta(minutes=1)
    refill.job()
    refill.end(0)
    refill.now = datetime(2026, 11, 24, 22, 0, tzinfo=IST)  # a holiday
    refill.job()
    assert refill.command.started[1:] == [fetch(FRIDAY, MONDAY)]
    refill.now = datetime(2026, 11, 25, 16, 10, tzinfo=IST)
    refill.job()
    assert refill.command.started[2:] == [fetch(MONDAY, "2026-11-25")]


def test_the_simulated_exchange_is_asked_for_its_day_alone() -> None:
    refill = Refill(simulated=True)
    refill.job()
    assert refill.command.started == [fetch(FRIDAY, FRIDAY)]


def test_a_start_is_waited_for_and_so_is_the_lease() -> None:
    refill = Refill()
    refill.elapsed = START_S - 1
    refill.job()
    refill.elapsed, refill.active = START_S, False
    refill.job()
    assert refill.command.started == []
    refill.active = True
    refill.job()
    assert len(refill.command.started) == 1


def test_a_fetch_that_failed_is_tried_again_twice(caplog: pytest.LogCaptureFixture) -> None:
    refill = Refill()
    for runs in (1, 2, 3):
        refill.job()
        assert len(refill.command.started) == runs
        refill.end(1)
        assert len(refill.command.started) == runs
        refill.elapsed += RETRY_S
    refill.job()
    assert len(refill.command.started) == 3
    assert caplog.messages == ["Not all one-minute bars were fetched: 12 bars fetched."] * 3
    refill.now += timedelta(minutes=1)
    refill.job()
    assert refill.command.started[3:] == [fetch(FRIDAY, MONDAY)]


def test_it_makes_way_for_daily_candles_and_goes_on_after_them() -> None:
    refill = Refill()
    for _ in range(5):  # more often than a failed one is tried
        refill.job()
        refill.waits = True
        refill.job()
        assert (refill.command.stopped, refill.command.running) == (True, False)
        refill.job()
        refill.waits = False
    assert refill.command.started == [fetch("2026-11-19", FRIDAY)] * 5
    refill.job()
    assert refill.command.running
    refill.end(0)
    refill.job()
    assert len(refill.command.started) == 6


def test_a_fetch_that_cannot_be_started_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    refill = Refill()
    refill.command.refuses = True
    refill.job()
    refill.job()
    assert caplog.messages == [
        "The fetch of one-minute bars cannot be started: Cannot allocate memory",
    ]
    refill.command.refuses = False
    refill.elapsed += RETRY_S
    refill.job()
    assert len(refill.command.started) == 1


def test_without_a_session_nothing_is_fetched() -> None:
    refill = Refill()
    refill.unknown = True
    refill.job()
    assert refill.command.started == []
    refill.unknown = False
    refill.job()
    assert len(refill.command.started) == 1
    refill.job.stop()
    assert refill.command.stopped


def test_others_see_that_it_fetches_and_that_it_makes_way() -> None:
    refill = Refill()
    assert (refill.job.running, refill.job.waiting) == (False, False)
    refill.job()
    assert (refill.job.running, refill.job.waiting) == (True, False)
    refill.waits = True
    refill.job()
    assert (refill.job.running, refill.job.waiting) == (False, True)
