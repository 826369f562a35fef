from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltp.db.engine import open_engine
from ltp.worker import background
from ltp.worker.after_close import AfterClose
from ltp.worker.alerts.blind_fetch import BlindFetch
from ltp.worker.alerts.values_job import ValuesJob
from ltp.worker.background import Background
from ltp.worker.bars.bar_upkeep import BarRefill, BarUpkeep
from ltp.worker.bars.gap_refill import GapRefill
from ltp.worker.daily_import import DailyImport
from ltp.worker.evaluation_queue import EvaluationQueue
from ltp.worker.history.queue import HistoryQueue


class Counted:
    def __init__(self, fails: bool = False) -> None:
        self.calls, self.stopped, self.fails = 0, False, fails

    def __call__(self) -> None:
        self.calls += 1
        if self.fails:
            raise ValueError("broken")

    def stop(self) -> None:
        self.stopped = True


def test_each_job_is_called_again_and_again_and_stopped_at_the_end(
    wait_for: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = Counted(fails=True), Counted()
    thread = Background(broken, sound, wait=lambda stopping: stopping.wait(0.001))
    thread.start()
    wait_for(lambda: sound.calls >= 3)
    thread.stop()
    assert not thread.is_alive()
    assert broken.calls >= 3
    assert (broken.stopped, sound.stopped) == (True, True)
    assert "Counted failed; it is tried again" in caplog.text


def test_a_stop_before_the_start_is_no_fault() -> None:
    job = Counted()
    Background(job).stop()
    assert (job.calls, job.stopped) == (0, True)


@pytest.mark.parametrize(
    ("universe", "kinds"),
    [("", [AfterClose, ValuesJob, EvaluationQueue]), ("off", [ValuesJob, EvaluationQueue])],
)
def test_off_leaves_requested_evaluations(tmp_path: Path, universe: str, kinds: list[type]) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    never = threading.Event()
    found = background.all_jobs(
        engine,
        master_url="",
        session_on=lambda at: at.date(),
        universe=universe,
        fetches=False,
        simulated=False,
        active=never.is_set,
    )
    assert [type(each) for each in found] == [DailyImport, BarUpkeep, *kinds, HistoryQueue]


@pytest.mark.parametrize(
    ("job", "attribute", "waits", "busy"),
    [
        (AfterClose, "fetching", True, False),
        (BarRefill, "running", True, False),
        (BarUpkeep, "running", False, True),
        (EvaluationQueue, "running", False, True),
    ],
)
def test_history_jobs_make_way_for_the_broker_and_come_after_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: type, attribute: str, waits: bool, busy: bool
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(background, "HistoryQueue", lambda _, **values: given.update(values))
    background.all_jobs(
        open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"),
        master_url="",
        session_on=lambda at: at.date(),
        universe="",
        fetches=True,
        simulated=False,
        active=lambda: False,
    )
    assert (given["waits"](), given["busy"]()) == (False, False)
    monkeypatch.setattr(job, attribute, True)
    assert (given["waits"](), given["busy"]()) == (waits, busy)


@pytest.mark.parametrize(
    ("fetches", "last"),
    [(True, [GapRefill, HistoryQueue, BlindFetch]), (False, [EvaluationQueue, HistoryQueue])],
)
def test_bars_are_fetched_only_where_there_is_a_broker(
    tmp_path: Path, fetches: bool, last: list[type]
) -> None:
    found = background.all_jobs(
        open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}"),
        master_url="",
        session_on=lambda at: at.date(),
        universe="",
        fetches=fetches,
        simulated=False,
        active=lambda: False,
    )
    assert [type(each) for each in found[:3]] == [DailyImport, BarUpkeep, AfterClose]
    assert [type(each) for each in found[-len(last) :]] == last
    for job in found:  # a worker that stands by starts nothing
        job()
        job.stop()
