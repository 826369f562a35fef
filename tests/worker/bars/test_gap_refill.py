from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ltp.worker.bars.gap_refill import AFTER_S, EVERY_S, MOST_RUNS, GapRefill
from tests.worker.fake_command import FakeCommand

FETCH = ["candles", "minutes", "fetch", "--uncovered"]
DONE = (0, "3 bars of 1 instrument fetched of uncovered minutes of 2026-11-23.")


class Rig:
    """GapRefill; the test sets the ends of gaps, the time, the lease and other work."""

    def __init__(self) -> None:
        self.command, self.active, self.waits, self.changes = FakeCommand(), True, False, 0
        self.now, self.elapsed = datetime(2026, 11, 23, 6, 30, tzinfo=UTC), 1_000.0
        command: Any = self.command
        self.job = GapRefill(
            changes=lambda: self.changes,
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
