from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from ltp.worker.bar_upkeep import RETRY_S, START_S, BarUpkeep
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
    records = [each for each in caplog.records if each.name == "ltp.worker.bar_upkeep"]
    assert [(each.levelname, each.message) for each in records] == [("WARNING", "The database is away.")]


def test_a_command_that_cannot_be_started_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    day = Day()
    day.elapsed, day.command.refuses = START_S, True
    day.job()
    day.job()
    records = [each.message for each in caplog.records if each.name == "ltp.worker.bar_upkeep"]
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
