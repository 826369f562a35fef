"""Requests carried out by a child, one after the other."""

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


class FakeChild:
    def __init__(self) -> None:
        self.started: list[list[str]] = []
        self.running = self.stopped = self.refuses = False
        self.end: tuple[int, str] | None = None

    def start(self, words: list[str]) -> None:
        if self.refuses:
            raise OSError(12, "Cannot allocate memory")
        self.started.append(words)
        self.running = True

    def ended(self) -> tuple[int, str] | None:
        end, self.end = self.end, None
        self.running = self.running and end is None
        return end

    def stop(self) -> None:
        self.stopped, self.running = True, False


class Desk:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.child, self.active = engine, FakeChild(), True
        child: Any = self.child
        self.chore = EvaluationQueue(engine, active=lambda: self.active, child=child)

    def request(self, id_: int) -> Evaluation:
        with reading(self.engine) as connection:
            return next(each for each in evaluations.newest_in(connection).values() if each.id == id_)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"))


def test_requests_are_carried_out_one_after_the_other(desk: Desk) -> None:
    desk.chore()
    assert desk.child.started == []
    first, second = evaluations.enqueue(desk.engine, "swing"), evaluations.enqueue(desk.engine, "longterm")
    desk.chore()
    evaluations.claim(desk.engine, first)  # as the child does
    desk.chore()
    assert desk.child.started == [["screeners", "run", "--request", str(first)]]
    evaluations.finish(desk.engine, first, 1)
    desk.child.end = (0, "stored.")
    desk.chore()
    assert desk.child.started[1:] == [["screeners", "run", "--request", str(second)]]
    assert desk.request(first).state == "done"


def test_a_child_that_was_killed_leaves_a_failed_request_with_its_last_word(desk: Desk) -> None:
    asked = evaluations.enqueue(desk.engine, "swing")
    desk.chore()
    evaluations.claim(desk.engine, asked)
    desk.child.end = (-1, "it took longer than 300 s and was ended")
    desk.chore()
    assert (desk.request(asked).state, desk.request(asked).message) == (
        "failed",
        "it took longer than 300 s and was ended",
    )
    assert len(desk.child.started) == 1


def test_what_the_child_said_itself_stays(desk: Desk) -> None:
    asked = evaluations.enqueue(desk.engine, "swing")
    desk.chore()
    evaluations.fail(desk.engine, asked, "there are no candles")
    desk.child.end = (2, "another sentence")
    desk.chore()
    assert desk.request(asked).message == "there are no candles"


def test_a_machine_that_cannot_start_a_child_is_told_to_who_asked(desk: Desk) -> None:
    asked = evaluations.enqueue(desk.engine, "swing")
    desk.child.refuses = True
    desk.chore()
    assert desk.request(asked).message == "the evaluation cannot be started (Cannot allocate memory)"


def test_a_worker_that_stands_by_starts_nothing(desk: Desk) -> None:
    desk.active = False
    asked = evaluations.enqueue(desk.engine, "swing")
    desk.chore()
    assert (desk.child.started, desk.request(asked).state) == ([], "queued")


def test_a_stop_ends_the_child_and_says_so(desk: Desk) -> None:
    desk.chore.stop()
    assert not desk.child.stopped
    asked = evaluations.enqueue(desk.engine, "swing")
    desk.chore()
    evaluations.claim(desk.engine, asked)
    desk.chore.stop()
    assert desk.child.stopped
    assert (desk.request(asked).state, desk.request(asked).message) == ("failed", "the worker stopped")


def test_a_locked_database_is_waited_for(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = evaluations.enqueue(desk.engine, "swing")
    monkeypatch.setattr("ltp.db.engine.BUSY_TIMEOUT_MS", 1)
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    desk.chore()
    holder.close()
    assert desk.child.started == []
    desk.chore()
    assert desk.child.started == [["screeners", "run", "--request", str(asked)]]
