"""Requested evaluations, each carried out by a command."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.db import evaluations
from ltp.db.engine import open_engine, reading
from ltp.db.evaluations import Evaluation
from ltp.worker.evaluation_queue import EvaluationQueue
from tests.worker.fake_command import FakeCommand


class Bench:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.command, self.active = engine, FakeCommand(), True
        command: Any = self.command
        self.job = EvaluationQueue(engine, active=lambda: self.active, command=command)

    def request(self, id_: int) -> Evaluation:
        with reading(self.engine) as connection:
            return next(each for each in evaluations.newest_in(connection).values() if each.id == id_)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"))


def test_requests_are_evaluated_one_after_the_other(bench: Bench) -> None:
    bench.job()
    assert bench.command.started == []
    first, second = evaluations.enqueue(bench.engine, "swing"), evaluations.enqueue(bench.engine, "longterm")
    bench.job()
    evaluations.claim(bench.engine, first)  # as the command does
    bench.job()
    assert bench.command.started == [["screeners", "run", "--request", str(first)]]
    evaluations.finish(bench.engine, first, 1)
    bench.command.end = (0, "stored.")
    bench.job()
    assert bench.command.started[1:] == [["screeners", "run", "--request", str(second)]]
    assert bench.request(first).state == "done"


def test_a_command_that_was_killed_leaves_a_failed_request_with_the_reason(bench: Bench) -> None:
    request_id = evaluations.enqueue(bench.engine, "swing")
    bench.job()
    evaluations.claim(bench.engine, request_id)
    bench.command.end = (-1, "it took longer than 300 s and was ended")
    bench.job()
    assert (bench.request(request_id).state, bench.request(request_id).message) == (
        "failed",
        "it took longer than 300 s and was ended",
    )
    assert len(bench.command.started) == 1


def test_the_reason_that_the_command_stored_stays(bench: Bench) -> None:
    request_id = evaluations.enqueue(bench.engine, "swing")
    bench.job()
    evaluations.fail(bench.engine, request_id, "there are no candles")
    bench.command.end = (2, "another sentence")
    bench.job()
    assert bench.request(request_id).message == "there are no candles"


def test_a_command_that_cannot_be_started_is_the_reason_of_the_failure(bench: Bench) -> None:
    request_id = evaluations.enqueue(bench.engine, "swing")
    bench.command.refuses = True
    bench.job()
    assert bench.request(request_id).message == "the evaluation cannot be started (Cannot allocate memory)"


def test_a_worker_that_stands_by_starts_nothing(bench: Bench) -> None:
    bench.active = False
    request_id = evaluations.enqueue(bench.engine, "swing")
    bench.job()
    assert (bench.command.started, bench.request(request_id).state) == ([], "queued")


def test_a_stop_ends_the_command_and_fails_its_request(bench: Bench) -> None:
    bench.job.stop()
    assert not bench.command.stopped
    request_id = evaluations.enqueue(bench.engine, "swing")
    bench.job()
    evaluations.claim(bench.engine, request_id)
    bench.job.stop()
    assert bench.command.stopped
    assert (bench.request(request_id).state, bench.request(request_id).message) == (
        "failed",
        "the worker stopped",
    )


def test_a_locked_database_is_waited_for(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = evaluations.enqueue(bench.engine, "swing")
    monkeypatch.setattr("ltp.db.engine.BUSY_TIMEOUT_MS", 1)
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    bench.job()
    holder.close()
    assert bench.command.started == []
    bench.job()
    assert bench.command.started == [["screeners", "run", "--request", str(request_id)]]
