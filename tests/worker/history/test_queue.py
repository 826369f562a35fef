"""History jobs, each carried out by a command, behind all other work."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.db.engine import open_engine
from ltp.db.history import jobs
from ltp.db.history.jobs import DAILY, FETCH, PAUSE, REFILL, REPLACE, RESUME, Request
from ltp.db.history.summary import EVERYTHING
from ltp.worker.history.queue import TOUCH_S, HistoryQueue, command_of
from tests.worker.fake_command import FakeCommand

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 27)
FIFTY = Request(FETCH, "nifty50", (), FIRST, LAST)
COMMAND = "candles minutes fetch --universe nifty50 --from 2026-11-02 --to 2026-11-27"


class Bench:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.command, self.at = engine, FakeCommand(), 0.0
        self.active, self.waits, self.busy = True, False, False
        command: Any = self.command
        self.job = HistoryQueue(
            engine,
            active=lambda: self.active,
            waits=lambda: self.waits,
            busy=lambda: self.busy,
            command=command,
            monotonic=lambda: self.at,
        )

    def state(self, job_id: int) -> tuple[str, str]:
        job = jobs.fetch(self.engine, job_id)
        return job.state, job.line


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"))


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (FIFTY, COMMAND),
        (FIFTY._replace(action=REFILL), f"{COMMAND} --missing"),
        (FIFTY._replace(action=REPLACE), f"{COMMAND} --again"),
        (
            Request(FETCH, "", ("NSE_EQ:1333", "IDX_I:13"), FIRST, FIRST),
            "candles minutes fetch NSE_EQ:1333 IDX_I:13 --from 2026-11-02 --to 2026-11-02",
        ),
        (
            Request(REFILL, EVERYTHING, (), FIRST, FIRST),
            "candles minutes fetch --universe everything --from 2026-11-02 --to 2026-11-02 --missing",
        ),
        (Request(DAILY, "all"), "candles fetch --universe all"),
    ],
)
def test_a_request_is_an_existing_command(request_: Request, command: str) -> None:
    assert command_of(request_) == command.split()


def test_jobs_run_one_after_the_other(bench: Bench) -> None:
    bench.job()
    assert bench.command.started == []
    first = jobs.enqueue(bench.engine, FIFTY)
    second = jobs.enqueue(bench.engine, Request(DAILY, "all"))
    bench.job()
    bench.job()
    assert bench.command.started == [[*COMMAND.split(), "--job", str(first)]]
    assert bench.state(first) == ("running", "")
    bench.command.end = (0, "9 bars fetched.")
    bench.job()
    assert bench.state(first) == ("done", "9 bars fetched.")
    assert bench.command.started[1:] == [["candles", "fetch", "--universe", "all", "--job", str(second)]]


def test_a_failed_command_leaves_its_last_line(bench: Bench) -> None:
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    bench.command.end = (1, "The broker refuses the token")
    bench.job()
    assert bench.state(job_id) == ("failed", "The broker refuses the token")
    bench.job()
    assert len(bench.command.started) == 1


def test_a_command_that_cannot_be_started_fails(bench: Bench) -> None:
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.command.refuses = True
    bench.job()
    assert bench.state(job_id) == ("failed", "it cannot be started (Cannot allocate memory)")


def test_a_paused_job_is_not_failed_by_the_end_of_its_command(bench: Bench) -> None:
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    jobs.change(bench.engine, job_id, PAUSE)
    bench.job()
    assert not bench.command.stopped  # it ends by itself, after the present instrument
    bench.command.end = (2, "it was paused or cancelled meanwhile")
    bench.job()
    assert bench.state(job_id)[0] == "paused"
    jobs.change(bench.engine, job_id, RESUME)
    bench.job()
    assert (len(bench.command.started), bench.state(job_id)[0]) == (2, "running")


def test_a_job_makes_way_for_work_that_calls_the_charts_and_goes_on_afterwards(bench: Bench) -> None:
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    bench.waits = True
    bench.job()
    assert (bench.command.stopped, bench.state(job_id)[0]) == (True, "queued")
    bench.job()
    assert len(bench.command.started) == 1
    bench.waits = False
    bench.job()
    assert (len(bench.command.started), bench.state(job_id)[0]) == (2, "running")


def test_other_work_comes_first_but_ends_no_command(bench: Bench) -> None:
    bench.busy = True
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    assert bench.state(job_id)[0] == "queued"
    bench.busy = False
    bench.job()
    bench.busy = True
    bench.job()
    assert (bench.command.stopped, bench.state(job_id)[0]) == (False, "running")


def test_a_worker_that_stands_by_starts_nothing(bench: Bench) -> None:
    bench.active = False
    jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    assert bench.command.started == []


def test_a_stop_of_the_worker_lets_the_job_wait(bench: Bench) -> None:
    bench.job.stop()
    assert not bench.command.stopped
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    bench.job.stop()
    assert (bench.command.stopped, bench.state(job_id)[0]) == (True, "queued")


def test_a_long_instrument_is_a_sign_of_life(bench: Bench) -> None:
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    began = jobs.fetch(bench.engine, job_id).beat_at
    bench.at = TOUCH_S - 1
    bench.job()
    assert jobs.fetch(bench.engine, job_id).beat_at == began
    bench.at = TOUCH_S
    bench.job()
    assert jobs.fetch(bench.engine, job_id).beat_at > began


def test_only_progress_gives_a_command_more_time(bench: Bench) -> None:
    job_id = jobs.enqueue(bench.engine, FIFTY)
    bench.job()
    prolonged = []
    for done in (0, 1, 1, 5, 5):
        jobs.beat(bench.engine, job_id, done=done, total=9, per_min=0.0, place="")
        bench.at += TOUCH_S
        bench.job()
        prolonged.append(bench.command.prolonged)
    assert prolonged == [0, 1, 1, 2, 2]
    jobs.set_aside(bench.engine, job_id)
    bench.command.running = False
    bench.job()  # it goes on where it was, which is no progress
    bench.at += TOUCH_S
    bench.job()
    assert bench.command.prolonged == 2


def test_a_locked_database_is_waited_for(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.enqueue(bench.engine, FIFTY)
    monkeypatch.setattr("ltp.db.engine.BUSY_TIMEOUT_MS", 1)
    holder = sqlite3.connect(tmp_path / "ltp.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    bench.job()
    holder.close()
    assert bench.command.started == []
    bench.job()
    assert len(bench.command.started) == 1
