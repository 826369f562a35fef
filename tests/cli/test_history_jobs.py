"""Commands that the worker starts for a job: their progress, a pause, and the place where they go on."""

from __future__ import annotations

import signal
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.cli import history_summary, minute_fetch
from ltp.cli.history_jobs import JobProgress
from ltp.cli.main import main
from ltp.core.bars.bar import Bar
from ltp.core.trading_day import day_start
from ltp.db import minute_bars, universes
from ltp.db.history import jobs, schedules, summary
from ltp.db.history.jobs import CANCEL, DAILY, FETCH, PAUSE, REFILL, Job, Request
from ltp.db.history.summary import DAYS, EVERYTHING, MINUTES
from ltp.errors import InputError
from ltp.feed.simulator import Simulator
from ltp.worker.history.queue import command_of
from tests.cli.test_minute_fetch import FETCH as COMMAND
from tests.cli.test_minute_fetch import HDFC, TCS, Captured, day, engine, simulator, stored

__all__ = ["day", "engine", "simulator"]
KEYS = ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3", "NSE_EQ:4"]
ASKED = Request(FETCH, "list-two", (), date(2026, 11, 2), date(2026, 11, 27))


def running(engine: Engine, asked: Request = ASKED) -> Job:
    jobs.enqueue(engine, asked)
    job = jobs.claim_next(engine)
    assert job is not None
    return job


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_progress_is_stored_once_a_second_with_rate_and_place(engine: Engine) -> None:
    job, clock, shown = running(engine), Clock(), list[tuple[str, int, int]]()
    progress = JobProgress(engine, job, KEYS, lambda *each: shown.append(each), clock)
    progress("fetching bars", 0, 4)
    clock.at = 100.9
    progress("fetching bars", 1, 4)
    assert jobs.fetch(engine, job.id).done == 0
    clock.at = 110.0
    progress("fetching bars", 2, 4)
    found = jobs.fetch(engine, job.id)
    assert (found.done, found.total, found.per_min, found.place) == (2, 4, 12.0, "NSE_EQ:2")
    progress("fetching bars", 4, 4)  # the last one is stored at once
    assert (jobs.fetch(engine, job.id).done, len(shown)) == (4, 4)
    assert progress.uncounted() == KEYS
    assert progress.uncounted() == []


def test_a_command_goes_on_after_the_place_of_its_job(engine: Engine) -> None:
    job, clock = running(engine), Clock()
    progress = JobProgress(engine, job._replace(place="NSE_EQ:3"), KEYS, lambda *_: None, clock)
    assert progress.skipped == 3
    clock.at = 130.0
    progress("fetching bars", 1, 1)
    found = jobs.fetch(engine, job.id)
    assert (found.done, found.total, found.per_min, found.place) == (4, 4, 2.0, "NSE_EQ:4")
    assert progress.uncounted() == ["NSE_EQ:4"]


@pytest.mark.parametrize("place", ["", "NSE_EQ:9"])
def test_a_place_that_is_not_there_is_the_beginning(engine: Engine, place: str) -> None:
    assert JobProgress(engine, running(engine)._replace(place=place), KEYS, lambda *_: None).skipped == 0


def test_a_paused_job_ends_its_command(engine: Engine) -> None:
    job, clock = running(engine), Clock()
    progress = JobProgress(engine, job, KEYS, lambda *_: None, clock)
    progress("fetching bars", 1, 4)
    jobs.change(engine, job.id, PAUSE)
    clock.at += 1
    with pytest.raises(InputError, match="it was paused or cancelled meanwhile"):
        progress("fetching bars", 2, 4)
    assert jobs.fetch(engine, job.id).place == "NSE_EQ:1"


def test_a_command_without_a_job_is_followed_by_nobody(engine: Engine) -> None:
    progress = JobProgress(engine, None, KEYS, lambda *_: None)
    progress("fetching bars", 4, 4)
    assert jobs.newest(engine) == []


def test_a_job_that_does_not_run_is_refused(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    job_id = jobs.enqueue(engine, ASKED)
    assert main([*COMMAND, HDFC, "--to", f"{day}", "--job", str(job_id)]) != 0
    assert "a job that the worker runs" in capsys.readouterr().err
    assert stored(engine, HDFC) == []


def test_a_job_fetches_with_progress_and_is_counted(simulator: Simulator, engine: Engine, day: date) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS])
    job = running(engine)
    assert main([*COMMAND, "--universe", "list-two", "--to", f"{day}", "--job", str(job.id)]) == 0
    found = jobs.fetch(engine, job.id)
    assert (found.done, found.total, found.place, found.state) == (2, 2, TCS, "running")
    assert summary.of_lists(engine, MINUTES)["list-two"].bars == 750


def test_a_resumed_job_leaves_out_what_it_has_done(simulator: Simulator, engine: Engine, day: date) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS])
    job = running(engine)
    jobs.beat(engine, job.id, done=1, total=2, per_min=0.0, place=HDFC)
    again = [*COMMAND, "--universe", "list-two", "--to", f"{day}", "--again", "--job", str(job.id)]
    assert main(again) == 0
    assert (len(stored(engine, HDFC)), len(stored(engine, TCS))) == (0, 375)
    assert jobs.fetch(engine, job.id).done == 2


def test_a_job_of_daily_candles_is_followed_and_counted(simulator: Simulator, engine: Engine) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS])
    job = running(engine, Request(DAILY, "list-two"))
    command = ["candles", "fetch", "--universe", "list-two", "--days", "20"]
    assert main([*command, "--job", str(job.id)]) == 0
    found = jobs.fetch(engine, job.id)
    assert (found.done, found.total, found.place) == (3, 3, "")  # with the index
    assert summary.of_lists(engine, DAYS)["list-two"].instruments == 2


def test_a_cancelled_job_ends_its_command_with_what_is_fetched(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.cli.history_jobs._EVERY_S", 0.0)
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS])
    job = running(engine)
    beat = jobs.beat

    def cancelled_after_the_first(engine: Engine, job_id: int, **values: Any) -> bool:
        if values["done"] == 1:
            jobs.change(engine, job_id, CANCEL)
        return beat(engine, job_id, **values)

    monkeypatch.setattr(jobs, "beat", cancelled_after_the_first)
    assert main([*COMMAND, "--universe", "list-two", "--to", f"{day}", "--job", str(job.id)]) != 0
    assert "it was paused or cancelled meanwhile" in capsys.readouterr().err
    assert (len(stored(engine, HDFC)), len(stored(engine, TCS))) == (375, 0)
    assert summary.of_lists(engine, MINUTES)["list-two"].bars == 375
    assert jobs.fetch(engine, job.id).state == "cancelled"


def test_an_instrument_that_was_begun_is_counted_too(engine: Engine) -> None:
    progress = JobProgress(engine, None, KEYS, lambda *_: None)
    assert progress.uncounted(begun=True) == []
    progress("fetching bars", 1, 4)
    assert progress.uncounted() == KEYS[:1]
    assert progress.uncounted() == []
    progress("fetching bars", 2, 4)
    assert progress.uncounted(begun=True) == KEYS[1:3]


def test_what_is_fetched_is_counted_also_at_a_sigterm(
    simulator: Simulator, engine: Engine, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    universes.replace(engine, "list-two", "Two", "test", [HDFC, TCS])
    job, beat = running(engine), jobs.beat

    def ended_after_the_first(engine: Engine, job_id: int, **values: Any) -> bool:
        if values["done"] == 1:
            signal.raise_signal(signal.SIGTERM)
        return beat(engine, job_id, **values)

    monkeypatch.setattr("ltp.cli.history_jobs._EVERY_S", 0.0)
    monkeypatch.setattr(jobs, "beat", ended_after_the_first)
    before = signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # else a command without an own end would end the test
    try:
        assert main([*COMMAND, "--universe", "list-two", "--to", f"{day}", "--job", str(job.id)]) == 130
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (len(stored(engine, HDFC)), len(stored(engine, TCS))) == (375, 0)
    assert summary.of_lists(engine, MINUTES)["list-two"].bars == 375


def test_a_long_fetch_is_counted_on_the_way(
    simulator: Simulator, engine: Engine, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that little is left at the end, which the worker waits two seconds for."""
    counted = list[list[str]]()
    summarize = history_summary.summarize

    def noted(engine: Engine, settings: Any, keys: Any) -> Any:
        counted.append(list(keys))
        return summarize(engine, settings, keys)

    monkeypatch.setattr(history_summary, "summarize", noted)
    monkeypatch.setattr(minute_fetch, "_UNCOUNTED", 1)
    assert main([*COMMAND, HDFC, TCS, "--to", f"{day}"]) == 0
    assert counted == [[HDFC], [TCS], []]
    found = summary.of_everything(engine, MINUTES)
    assert found is not None
    assert (found.instruments, found.bars) == (2, 750)


def test_a_refill_fetches_only_sessions_that_lack_bars(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    monday = day - timedelta(days=day.weekday())
    first = monday - timedelta(days=7)
    whole = [first, first + timedelta(days=1)]
    for each in whole:
        start = day_start(each) + 555 * 60
        bars = [Bar(start + 60 * minute, 9, 9, 9, 9, 1) for minute in range(375)]
        minute_bars.upsert_session(engine, day_start(each), {HDFC: bars}, simulated=True)
    last = first + timedelta(days=4)
    refill = [*COMMAND, HDFC, TCS, "--from", f"{first - timedelta(days=3)}", "--to", f"{last}", "--missing"]
    assert main(refill) == 0
    # Wednesday to Friday of the first; the second has no bar and so no beginning.
    assert capsys.readouterr().out.startswith(f"{3 * 375:,} bars of 1 instrument fetched")
    assert [bar.close for bar in stored(engine, HDFC)[:750]] == [9] * 750
    assert main(refill) == 0
    assert capsys.readouterr().out.startswith("0 bars of 0 instruments fetched")
    assert main([*refill, "--again"]) != 0


def test_everything_stored_is_fetched_of_all_sessions(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured
) -> None:
    """Also sessions without any bar, which are those that are missing; and no instrument without bars."""
    last = day - timedelta(days=day.weekday() + 3)
    first = last - timedelta(days=4)
    minute_bars.upsert(engine, {HDFC: [Bar(day_start(last) + 555 * 60, 9, 9, 9, 9, 1)]}, simulated=True)
    assert main([*command_of(Request(FETCH, EVERYTHING, (), first, last))]) == 0
    assert capsys.readouterr().out.startswith(
        f"{5 * 375:,} bars of 1 instrument fetched from {first} to {last}"
    )
    assert (len(stored(engine, HDFC)), len(stored(engine, TCS))) == (5 * 375, 0)


def test_everything_stored_is_nothing_where_other_bars_would_remove_it(
    simulator: Simulator, engine: Engine, day: date, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute_bars.upsert(engine, {HDFC: [Bar(day_start(day) + 555 * 60, 9, 9, 9, 9, 1)]}, simulated=True)
    monkeypatch.setattr("ltp.cli.minute_fetch.settings_module.Settings.source", "dhan", raising=False)
    assert main([*COMMAND, "--universe", "everything", "--to", f"{day}"]) == 0
    assert capsys.readouterr().out.startswith("0 bars of 0 instruments fetched")
    assert len(stored(engine, HDFC)) == 1


def test_scheduled_lists_are_fetched_with_what_has_bars(
    simulator: Simulator, engine: Engine, day: date
) -> None:
    universes.replace(engine, "list-two", "Two", "test", [TCS])
    minute_bars.upsert(engine, {HDFC: [Bar(day_start(day) + 555 * 60, 9, 9, 9, 9, 1)]}, simulated=True)
    assert main([*COMMAND, "--to", f"{day}"]) == 0
    assert (len(stored(engine, HDFC)), len(stored(engine, TCS))) == (375, 0)
    schedules.change(engine, "list-two", fetched=True)
    assert main([*COMMAND, "--to", f"{day}"]) == 0
    assert len(stored(engine, TCS)) == 375


@pytest.mark.parametrize("job_id", ["2147483648", "99999999999999999999", "-1", "x"])
def test_a_job_has_a_number_that_the_column_takes(engine: Engine, job_id: str, capsys: Captured) -> None:
    for command in (
        ["candles", "minutes", "jobs", f"--cancel={job_id}"],
        [*COMMAND, HDFC, f"--job={job_id}"],
    ):
        with pytest.raises(SystemExit):
            main(command)
        assert "a whole number from 0 to 2147483647" in capsys.readouterr().err


def test_jobs_are_listed_and_cancelled(engine: Engine, capsys: Captured) -> None:
    job_id = jobs.enqueue(engine, ASKED)
    other = jobs.enqueue(engine, Request(REFILL, "", (HDFC, TCS), ASKED.first_day, ASKED.first_day))
    command = ["candles", "minutes", "jobs"]
    assert main([*command, "--cancel", str(job_id)]) == 0
    assert capsys.readouterr().out == (
        f"   {other}  queued     refill {HDFC} {TCS} 2026-11-02 to 2026-11-02\n"
        f"   {job_id}  cancelled  fetch list-two 2026-11-02 to 2026-11-27\n"
    )
    assert main([*command, "--cancel", str(job_id)]) != 0
    assert "a job that has not ended" in capsys.readouterr().err
    assert jobs.change(engine, other, CANCEL)
