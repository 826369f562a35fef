"""The queue of history jobs: one at a time, paused and resumed, and none that runs for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from ltp.db.engine import open_engine, writing
from ltp.db.history import jobs
from ltp.db.history.jobs import (
    CANCEL,
    CANCELLED,
    DAILY,
    DONE,
    FAILED,
    FETCH,
    KEPT,
    MAX_OPEN,
    PAUSE,
    PAUSED,
    QUEUED,
    QUOTA,
    REFILL,
    RESUME,
    RUNNING,
    Job,
    Request,
)
from ltp.db.history.tables import history_jobs as table
from ltp.errors import LimitError, NotFoundError

DAY = date(2026, 11, 27)
FIFTY = Request(FETCH, "nifty50", (), DAY, DAY)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    server = open_engine(request.getfixturevalue("postgresql").url())
    with writing(server) as connection:
        connection.exec_driver_sql("TRUNCATE history_jobs RESTART IDENTITY")
    return server


def claimed(engine: Engine) -> int:
    job = jobs.claim_next(engine)
    assert job is not None
    return job.id


def states(engine: Engine) -> list[tuple[int, str]]:
    return [(job.id, job.state) for job in jobs.newest(engine)]


def silent_since(engine: Engine, job_id: int, seconds: float) -> None:
    at = datetime.now(UTC) - timedelta(seconds=seconds)
    with writing(engine) as connection:
        connection.execute(update(table).where(table.c.id == job_id).values(beat_at=at))


def test_a_request_is_kept_as_it_was_made(engine: Engine) -> None:
    asked = Request(REFILL, "", ("NSE_EQ:1333", "IDX_I:13"), DAY, DAY + timedelta(days=1))
    job = jobs.fetch(engine, jobs.enqueue(engine, asked, "10.0.0.1"))
    assert (job.request, job.state, job.client, job.open) == (asked, QUEUED, "10.0.0.1", True)
    assert (job.started_at, job.ended_at, job.left_s) == (None, None, None)


def test_the_same_request_joins_the_open_job(engine: Engine) -> None:
    first = jobs.enqueue(engine, FIFTY, "a")
    assert jobs.enqueue(engine, FIFTY, "b") == first
    assert jobs.enqueue(engine, FIFTY._replace(action=REFILL), "b") != first
    jobs.change(engine, first, CANCEL)
    assert jobs.enqueue(engine, FIFTY, "b") != first


def test_the_same_request_resumes_a_paused_job(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY, "a")
    claimed(engine)
    jobs.beat(engine, job_id, done=3, total=50, per_min=0.0, place="NSE_EQ:3")
    jobs.change(engine, job_id, PAUSE)
    assert jobs.enqueue(engine, FIFTY, "b") == job_id
    job = jobs.fetch(engine, job_id)
    assert (job.state, job.place, job.client) == (QUEUED, "NSE_EQ:3", "a")
    assert claimed(engine) == job_id
    assert jobs.enqueue(engine, FIFTY, "b") == job_id
    assert jobs.fetch(engine, job_id).state == RUNNING


def test_a_job_that_is_paused_for_a_week_is_cancelled(engine: Engine) -> None:
    week = 7 * 86_400
    for age, state in ((week - 60, PAUSED), (week + 60, CANCELLED)):
        job_id = jobs.enqueue(engine, FIFTY)
        jobs.change(engine, job_id, PAUSE)
        silent_since(engine, job_id, age)
        assert jobs.claim_next(engine) is None
        job = jobs.fetch(engine, job_id)
        assert (job.state, job.ended_at is None) == (state, state == PAUSED)
    assert job.line == "cancelled: it was paused for 7 days"


def test_jobs_that_are_paused_for_a_week_fill_no_quota(engine: Engine) -> None:
    for number in range(QUOTA):
        job_id = jobs.enqueue(engine, FIFTY._replace(universe=f"list-{number}"), "a")
        jobs.change(engine, job_id, PAUSE)
        silent_since(engine, job_id, 7 * 86_400 + 60)
    new = jobs.enqueue(engine, FIFTY, "a")
    assert [job_id for job_id, state in states(engine) if state == QUEUED] == [new]


def test_one_job_runs_at_a_time_in_the_order_of_the_queue(engine: Engine) -> None:
    assert jobs.claim_next(engine) is None
    first = jobs.enqueue(engine, FIFTY)
    second = jobs.enqueue(engine, Request(DAILY, "all"))
    assert claimed(engine) == first
    assert jobs.claim_next(engine) is None
    jobs.end(engine, first, DONE, "fetched")
    assert claimed(engine) == second
    assert states(engine) == [(second, RUNNING), (first, DONE)]
    ended = jobs.fetch(engine, first)
    assert (ended.line, ended.open) == ("fetched", False)
    assert ended.started_at is not None
    assert ended.ended_at is not None


def test_progress_is_stored_while_the_job_runs(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    claimed(engine)
    assert jobs.beat(engine, job_id, done=100, total=400, per_min=200.0, place="NSE_EQ:5")
    job = jobs.fetch(engine, job_id)
    assert (job.done, job.total, job.place, job.left_s) == (100, 400, "NSE_EQ:5", 90)
    jobs.change(engine, job_id, PAUSE)
    assert not jobs.beat(engine, job_id, done=101, total=400, per_min=200.0, place="NSE_EQ:6")
    assert jobs.fetch(engine, job_id).left_s is None


def test_a_paused_job_goes_on_at_its_place(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    claimed(engine)
    jobs.beat(engine, job_id, done=3, total=50, per_min=0.0, place="NSE_EQ:3")
    assert jobs.change(engine, job_id, PAUSE)
    jobs.end(engine, job_id, FAILED, "it was paused meanwhile")  # as the worker does when the command ends
    assert (jobs.fetch(engine, job_id).state, jobs.claim_next(engine)) == (PAUSED, None)
    assert jobs.change(engine, job_id, RESUME)
    again = jobs.claim_next(engine)
    assert again is not None
    assert (again.id, again.state, again.place, again.done) == (job_id, RUNNING, "NSE_EQ:3", 3)


def test_a_job_that_was_resumed_before_its_command_ended_starts_again(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    claimed(engine)
    jobs.change(engine, job_id, PAUSE)
    jobs.change(engine, job_id, RESUME)
    jobs.end(engine, job_id, FAILED, "it was paused meanwhile")
    assert jobs.fetch(engine, job_id).state == QUEUED


@pytest.mark.parametrize(
    ("before", "how", "after"),
    [
        (QUEUED, PAUSE, PAUSED),
        (QUEUED, RESUME, None),
        (QUEUED, CANCEL, CANCELLED),
        (RUNNING, PAUSE, PAUSED),
        (RUNNING, CANCEL, CANCELLED),
        (PAUSED, PAUSE, None),
        (PAUSED, RESUME, QUEUED),
        (PAUSED, CANCEL, CANCELLED),
        (DONE, PAUSE, None),
        (DONE, RESUME, None),
        (FAILED, CANCEL, None),
        (CANCELLED, RESUME, None),
    ],
)
def test_what_a_person_may_do(engine: Engine, before: str, how: str, after: str | None) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    with writing(engine) as connection:
        connection.execute(update(table).values(state=before))
    assert jobs.change(engine, job_id, how) is (after is not None)
    assert jobs.fetch(engine, job_id).state == (after or before)


def test_an_unknown_job_is_named(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="There is no job called '7'"):
        jobs.change(engine, 7, PAUSE)


def test_a_job_whose_worker_was_killed_waits_again(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    claimed(engine)
    silent_since(engine, job_id, 59)
    assert jobs.claim_next(engine) is None
    silent_since(engine, job_id, 61)
    assert claimed(engine) == job_id


def test_a_job_that_ends_its_worker_again_and_again_fails(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    for _ in range(3):
        claimed(engine)
        silent_since(engine, job_id, 61)
    assert jobs.claim_next(engine) is None
    job: Job = jobs.fetch(engine, job_id)
    assert (job.state, job.line) == (FAILED, "given up: its worker ended 3 times")


def test_progress_makes_up_for_a_worker_that_was_killed(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    for done in range(5):
        claimed(engine)
        jobs.beat(engine, job_id, done=done, total=9, per_min=0.0, place="")
        silent_since(engine, job_id, 61)
    assert claimed(engine) == job_id
    assert jobs.fetch(engine, job_id).deaths == 1


def test_a_clock_that_was_set_back_keeps_no_job_running(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    claimed(engine)
    silent_since(engine, job_id, -3_600)
    assert claimed(engine) == job_id


def test_a_sign_of_life_tells_the_progress(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    assert jobs.touch(engine, job_id) is None
    claimed(engine)
    jobs.beat(engine, job_id, done=3, total=9, per_min=0.0, place="")
    silent_since(engine, job_id, 50)
    assert jobs.touch(engine, job_id) == 3
    assert jobs.fetch(engine, job_id).beat_at > datetime.now(UTC) - timedelta(seconds=40)


def test_the_worker_sets_a_job_aside(engine: Engine) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    claimed(engine)
    jobs.set_aside(engine, job_id)
    assert jobs.fetch(engine, job_id).state == QUEUED
    jobs.change(engine, job_id, PAUSE)
    jobs.set_aside(engine, job_id)
    assert jobs.fetch(engine, job_id).state == PAUSED


def test_a_client_has_a_quota(engine: Engine) -> None:
    for number in range(QUOTA):
        jobs.enqueue(engine, FIFTY._replace(universe=f"list-{number}"), "a")
    with pytest.raises(LimitError, match="The limit of 5 jobs of yours that have not ended is reached"):
        jobs.enqueue(engine, FIFTY, "a")
    first = jobs.enqueue(engine, FIFTY, "b")
    jobs.change(engine, first, CANCEL)
    jobs.change(engine, first - 1, CANCEL)
    assert jobs.enqueue(engine, FIFTY, "a") > first


def test_all_clients_together_have_a_limit(engine: Engine) -> None:
    for number in range(MAX_OPEN):
        jobs.enqueue(engine, FIFTY._replace(universe=f"list-{number}"), f"client {number}")
    with pytest.raises(LimitError, match="The limit of 50 jobs that have not ended"):
        jobs.enqueue(engine, FIFTY, "another")


def test_ended_jobs_are_kept_up_to_a_number(engine: Engine) -> None:
    for _ in range(KEPT + 3):
        jobs.change(engine, jobs.enqueue(engine, FIFTY), CANCEL)
    last = jobs.enqueue(engine, FIFTY)
    found = jobs.newest(engine)
    assert [job.id for job in found] == [last, *range(last - 1, last - 1 - KEPT, -1)]
