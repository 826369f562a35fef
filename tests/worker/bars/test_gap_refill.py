from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ltp.worker.bars.coverage_log import GapEnds
from ltp.worker.bars.gap_refill import AFTER_S, COLLECTED_S, EVERY_S, MOST_COLLECTED, MOST_RUNS, GapRefill
from ltp.worker.subprocess_job import SOME_FAILED
from tests.worker.fake_command import FakeCommand

FETCH = ["candles", "minutes", "fetch", "--uncovered"]
DONE = (0, "3 bars of 1 instrument fetched of uncovered minutes of 2026-11-23.")


class Rig:
    """GapRefill; the test sets the connections, the subscriptions, the time, the lease and other work."""

    def __init__(self) -> None:
        self.command, self.active, self.waits, self.changes = FakeCommand(), True, False, 0
        self.subscribed = 0
        self.now, self.elapsed = datetime(2026, 11, 23, 6, 30, tzinfo=UTC), 1_000.0
        command: Any = self.command
        self.job = GapRefill(
            changes=lambda: GapEnds(self.changes, self.subscribed),
            active=lambda: self.active,
            waits=lambda: self.waits,
            command=command,
            now=lambda: self.now,
            monotonic=lambda: self.elapsed,
        )

    def after(self, seconds: float) -> int:
        """Return how many runs were started up to then."""
        self.elapsed += seconds
        self.job()
        return len(self.command.started)

    def end(self, status: int = 0) -> None:
        self.command.end = (status, DONE[1])
        self.job()


def test_a_gap_that_ended_is_filled_once_its_minutes_are_over() -> None:
    rig = Rig()
    assert rig.after(10_000) == 0
    rig.changes = 1
    assert rig.after(0) == 0
    assert rig.after(AFTER_S - 1) == 0
    assert rig.after(1) == 1
    assert rig.command.started == [FETCH]
    rig.end()
    assert rig.after(10_000) == 1


def test_a_gap_that_ends_while_another_waits_has_a_run_of_its_own() -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    rig.changes = 2
    assert rig.after(AFTER_S) == 1
    rig.end()
    assert rig.after(0) == 1
    assert rig.after(EVERY_S) == 2
    rig.end()
    assert rig.after(10_000) == 2


def test_a_failed_run_is_repeated_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    rig.after(AFTER_S)
    with caplog.at_level(logging.INFO):
        rig.end(1)
    assert [(each.levelname, each.message) for each in caplog.records] == [("WARNING", DONE[1])]
    assert rig.after(EVERY_S - 1) == 1
    assert rig.after(1) == 2


def test_other_work_ends_a_run_which_begins_again_later() -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    assert rig.after(AFTER_S) == 1
    rig.waits = True
    rig.after(1)
    assert rig.command.stopped
    assert rig.after(10_000) == 1
    rig.waits = False
    assert rig.after(1) == 2


def test_a_worker_that_stands_by_fills_nothing() -> None:
    rig = Rig()
    rig.active, rig.changes = False, 1
    assert rig.after(0) == rig.after(AFTER_S) == 0
    rig.active = True
    rig.after(0)
    assert rig.after(AFTER_S) == 1


def test_the_runs_of_a_day_are_bounded() -> None:
    rig = Rig()
    for number in range(MOST_RUNS + 5):
        rig.changes = number + 1
        rig.after(EVERY_S)
        rig.after(EVERY_S)
        if rig.command.running:
            rig.end()
    assert len(rig.command.started) == MOST_RUNS
    rig.now += timedelta(days=1)
    assert rig.after(EVERY_S) == MOST_RUNS + 1


def test_a_command_that_cannot_be_started_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.changes, rig.command.refuses = 1, True
    rig.after(0)
    rig.after(AFTER_S)
    rig.after(1)
    assert caplog.messages == ["The refill of one-minute bars cannot be started: Cannot allocate memory"]
    rig.command.refuses = False
    assert rig.after(EVERY_S) == 1


def test_a_stop_ends_the_command() -> None:
    rig = Rig()
    rig.job.stop()
    assert rig.command.stopped


def test_new_instruments_every_two_minutes_leave_the_budget_of_reconnects() -> None:
    rig = Rig()
    rig.now = datetime(2026, 11, 23, 3, 45, tzinfo=UTC)  # 09:15 in India
    for _ in range(190):  # to 15:35
        rig.subscribed += 1
        rig.now += timedelta(minutes=2)
        rig.after(120)
        if rig.command.running:
            rig.end()
    assert len(rig.command.started) == 13  # one in half an hour, the first one soon
    rig.changes += 1
    rig.after(0)
    assert rig.after(AFTER_S) == 14


def test_the_runs_after_subscriptions_are_bounded_apart() -> None:
    rig = Rig()
    for _ in range(MOST_COLLECTED + 5):
        rig.subscribed += 1
        rig.after(COLLECTED_S)
        rig.after(COLLECTED_S)
        if rig.command.running:
            rig.end()
    assert len(rig.command.started) == MOST_COLLECTED
    rig.changes = 1
    rig.after(0)
    assert rig.after(AFTER_S) == MOST_COLLECTED + 1


def test_the_first_new_instrument_waits_for_its_minutes_only_and_further_ones_are_collected() -> None:
    rig = Rig()
    rig.subscribed = 1
    rig.after(0)
    assert rig.after(AFTER_S) == 1
    rig.end()
    rig.subscribed = 2
    rig.after(AFTER_S)
    rig.subscribed = 5
    rig.after(0)
    assert rig.after(COLLECTED_S - AFTER_S - 1) == 1
    assert rig.after(1) == 2
    rig.end()
    assert rig.after(10_000) == 2


def test_a_run_after_a_reconnect_is_about_the_new_instruments_too() -> None:
    rig = Rig()
    rig.changes = rig.subscribed = 1
    rig.after(0)
    assert rig.after(AFTER_S) == 1
    rig.end()
    assert rig.after(10_000) == 1


def test_an_instrument_that_is_new_in_a_run_after_a_reconnect_has_a_later_one() -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    rig.subscribed = 1
    assert rig.after(AFTER_S) == 1
    rig.end()
    assert rig.after(EVERY_S) == 2
    rig.end()
    assert rig.after(10_000) == 2


def test_instruments_that_failed_among_others_are_asked_for_again_half_an_hour_later() -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    rig.after(AFTER_S)
    rig.end(SOME_FAILED)
    assert rig.after(COLLECTED_S - 1) == 1
    assert rig.after(1) == 2
    for _ in range(MOST_COLLECTED + 5):  # one that always fails
        if rig.command.running:
            rig.end(SOME_FAILED)
        rig.after(COLLECTED_S)
    assert len(rig.command.started) == 1 + MOST_COLLECTED
    rig.changes = 2
    rig.after(0)
    assert rig.after(AFTER_S) == 2 + MOST_COLLECTED


def test_a_run_that_always_fails_is_repeated_ever_more_rarely() -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    rig.after(AFTER_S)
    for number, minutes in enumerate((5, 10, 20, 40, 60, 60, 60)):
        rig.end(1)
        assert rig.after(minutes * 60 - 1) == 1 + number
        assert rig.after(1) == 2 + number


def test_a_reconnect_does_not_wait_as_long_as_a_failed_run() -> None:
    rig = Rig()
    rig.changes = 1
    rig.after(0)
    rig.after(AFTER_S)
    for _ in range(4):
        rig.end(2)
        rig.after(3_600)
    rig.end(2)
    rig.after(600)
    rig.changes = 2
    assert rig.after(0) == 5
    assert rig.after(AFTER_S) == 6
    rig.end()
    assert rig.after(10_000) == 6
