"""The command of terms runs when alerts that name terms, or candles, have changed."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.history.candle import Candle
from ltp.db import candles
from ltp.worker.alerts.values_job import LOOK_EVERY_S, RETRY_S, ValuesJob
from tests.worker.alerts.desk import KEY, Desk
from tests.worker.fake_command import FakeCommand


class Job:
    def __init__(self, desk: Desk) -> None:
        self.command, self.at, self.leads = FakeCommand(), 0.0, True
        command: Any = self.command
        self.job = ValuesJob(
            desk.engine, active=lambda: self.leads, command=command, monotonic=lambda: self.at
        )

    def look(self, times: int = 2, after_s: float = LOOK_EVERY_S) -> int:
        """Look again and again; return how many runs were started so far."""
        for _ in range(times):
            self.at += after_s
            self.job()
        return len(self.command.started)

    def end(self, status: int = 0) -> None:
        self.command.end = status, "3 values of terms for 1 instrument."


@pytest.fixture
def job(desk: Desk) -> Job:
    return Job(desk)


def test_without_terms_nothing_runs(desk: Desk, job: Job) -> None:
    desk.add("ltp > 1650")
    desk.add("ltp > ema50", state="ended")
    desk.add("no rule")
    assert job.look(5) == 0


def test_it_runs_once_for_a_rule_and_once_for_new_candles(desk: Desk, job: Job) -> None:
    desk.add("ltp > ema50")
    assert job.look() == 1
    assert job.command.started == [["alerts", "values"]]
    job.end()
    assert job.look(5) == 1
    candles.upsert(desk.engine, "raw", {KEY: [Candle(desk.day, 10, 12, 9, 11, 100)]})
    with desk.engine.begin() as connection:
        candles.note_day(connection, desk.day, "test", 1)
    assert job.look() == 2


def test_it_waits_until_an_import_has_ended(desk: Desk, job: Job) -> None:
    for _ in range(3):
        desk.add("ltp > ema50")
        assert job.look(1) == 0
    assert job.look(1) == 1


def test_a_failure_is_tried_again_later(desk: Desk, job: Job, caplog: pytest.LogCaptureFixture) -> None:
    desk.add("ltp > ema50")
    job.look()
    job.end(1)
    assert job.look(3) == 1
    assert job.look(1, RETRY_S) == 2
    assert "The terms of alerts were not computed: 3 values" in caplog.text
    job.end()
    job.command.refuses = True
    desk.add("ltp > ema20")
    assert job.look(4) == 2
    assert "cannot be computed: Cannot allocate memory" in caplog.text


def test_a_worker_that_stands_by_starts_nothing(desk: Desk, job: Job) -> None:
    desk.add("ltp > ema50")
    job.leads = False
    assert job.look(4) == 0
    job.job.stop()
    assert job.command.stopped
