"""The broker's bars for blind alerts: a few instruments at a time, behind all other calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ltp.worker.alerts.blind_fetch import EVERY_S, MOST, RETRY_S, BlindFetch
from tests.worker.fake_command import FakeCommand

NOW = datetime(2026, 11, 30, 5, tzinfo=UTC)


class Job:
    def __init__(self, *keys: str) -> None:
        self.keys, self.command, self.at = list(keys), FakeCommand(), 0.0
        self.leads, self.waits = True, False
        command: Any = self.command
        self.job = BlindFetch(
            keys=lambda: self.keys, active=lambda: self.leads, waits=lambda: self.waits, command=command,
            now=lambda: NOW, monotonic=lambda: self.at,
        )  # fmt: skip

    def look(self, after_s: float = EVERY_S) -> list[list[str]]:
        """Look; return the instruments of the runs so far."""
        self.at += after_s
        self.job()
        return [each[3:-4] for each in self.command.started]

    def end(self, status: int = 0) -> None:
        self.command.end = status, "the end"


def test_it_fetches_todays_bars() -> None:
    job = Job("NSE_EQ:1333")
    job.look()
    day = "2026-11-30"
    assert job.command.started == [["candles", "minutes", "fetch", "NSE_EQ:1333", "--from", day, "--to", day]]
    assert job.job.running
    assert len(job.look()) == 1
    job.end()
    assert len(job.look()) == 2


def test_of_many_each_has_its_turn() -> None:
    keys = [f"NSE_EQ:{number}" for number in range(1, 2 * MOST + 11)]
    job = Job(*keys)
    for _ in range(3):
        job.look()
        job.end()
    found = job.look()
    assert [len(each) for each in found[:3]] == [MOST] * 3
    assert {key for each in found for key in each} == set(keys)


def test_nothing_runs_without_need_or_lease_or_beside_other_calls() -> None:
    job = Job()
    assert job.look() == []
    job.keys, job.leads = ["NSE_EQ:1333"], False
    assert job.look() == []
    job.leads, job.waits = True, True
    assert job.look() == []
    job.waits = False
    assert len(job.look()) == 1
    job.waits = True
    job.look()
    assert job.command.stopped


def test_a_failure_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    job = Job("NSE_EQ:1333")
    job.look()
    job.end(1)
    assert len(job.look()) == 1
    assert len(job.look(RETRY_S)) == 2
    assert "Not all bars for alerts were fetched: the end" in caplog.text
    job.end()
    job.command.refuses = True
    assert len(job.look()) == 2
    assert "The bars for alerts cannot be fetched: Cannot allocate memory" in caplog.text
