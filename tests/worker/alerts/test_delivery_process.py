"""The process that sends alerts runs while it is needed, and starts again with growing waits."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.db.alerts import channels, deliveries
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError
from ltp.worker.alerts.delivery_process import LOOK_S, STEADY_S, DeliveryProcess
from tests.alert_rows import NOW, channel
from tests.worker.fake_command import FakeCommand


class Worker:
    """A delivery process on a set clock, and whether this worker leads."""

    def __init__(self, engine: Engine) -> None:
        self.leads, self.now, self.command = True, 100.0, FakeCommand()
        command: Any = self.command
        self.job = DeliveryProcess(
            engine, active=lambda: self.leads, command=command, monotonic=lambda: self.now
        )

    def after(self, seconds: float) -> int:
        """Call the job then; return how often the process was started until now."""
        self.now += seconds
        self.job()
        return len(self.command.started)


@pytest.fixture
def engine(empty_database: str) -> Engine:
    return open_engine(empty_database)


def test_without_a_channel_no_process_runs(engine: Engine) -> None:
    worker = Worker(engine)
    assert worker.after(0) == 0
    mine = channel(engine)
    assert worker.after(1) == 1
    assert worker.command.started == [["alerts", "deliver"]]
    channels.switch(engine, mine.id, on=False)
    worker.after(LOOK_S - 1)
    assert worker.command.running
    worker.after(1)
    assert worker.command.stopped


def test_a_test_of_a_channel_that_is_off_needs_it(engine: Engine) -> None:
    worker, mine = Worker(engine), channel(engine)
    channels.switch(engine, mine.id, on=False)
    assert worker.after(0) == 0
    deliveries.queue_test(engine, mine.id, NOW)
    assert worker.after(1) == 1


def test_only_the_worker_that_leads_runs_it(engine: Engine) -> None:
    channel(engine)
    worker = Worker(engine)
    worker.leads = False
    assert worker.after(0) == 0
    worker.leads = True
    assert worker.after(1) == 1
    worker.leads = False
    worker.after(0.1)
    assert worker.command.stopped


def test_it_starts_again_with_growing_waits(engine: Engine) -> None:
    channel(engine)
    worker = Worker(engine)
    worker.after(0)
    for starts, wait_s in enumerate((1, 2, 4, 8, 16, 32, 60, 60), start=1):
        worker.command.end = 1, ""
        assert worker.after(0) == starts
        assert worker.after(wait_s - 0.1) == starts
        assert worker.after(0.1) == starts + 1
    worker.after(STEADY_S + 1)
    worker.command.end = -9, "it was ended by signal 9"
    assert worker.after(0) == 9
    assert worker.after(1) == 10


def test_a_machine_without_memory(engine: Engine) -> None:
    channel(engine)
    worker = Worker(engine)
    worker.command.refuses = True
    assert worker.after(0) == 0
    worker.command.refuses = False
    assert worker.after(0.9) == 0
    assert worker.after(0.1) == 1


def test_a_database_that_is_away_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    channel(engine)
    worker = Worker(engine)
    worker.after(0)

    def away(_: Engine) -> bool:
        raise DatabaseError("The database cannot be read")

    monkeypatch.setattr(deliveries, "is_needed", away)
    worker.after(LOOK_S)
    assert worker.command.running


def test_the_end_of_the_worker_ends_it(engine: Engine) -> None:
    channel(engine)
    worker = Worker(engine)
    worker.job.stop()
    assert not worker.command.stopped
    worker.after(0)
    worker.job.stop()
    assert worker.command.stopped
