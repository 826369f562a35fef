"""Two processes that add or claim jobs at the same time, on PostgreSQL, which has several writers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from ltp.db.engine import open_engine, reading, writing
from ltp.db.history import jobs
from ltp.db.history.jobs import FETCH, QUOTA, Request
from ltp.errors import LimitError

DAY = date(2026, 11, 27)
FIFTY = Request(FETCH, "nifty50", (), DAY, DAY)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position('history_jobs' in query) > 0"


@pytest.fixture
def engine(postgresql: Any) -> Iterator[Engine]:
    server = open_engine(postgresql.url())
    with writing(server) as connection:
        connection.exec_driver_sql("TRUNCATE history_jobs RESTART IDENTITY")
    yield server
    server.dispose()


def at_once(engine: Engine, wait_for: Any, *actions: Callable[[], object]) -> list[object]:
    """Run actions on threads. Both have read before either writes: a SHARE lock lets only readers pass. Returns
    their results, or the limit that was reached.
    """

    def waiting() -> bool:
        with reading(engine) as connection:
            return int(connection.exec_driver_sql(WAITING).scalar_one()) == len(actions)

    with ThreadPoolExecutor(len(actions)) as pool:
        with writing(engine) as connection:
            connection.exec_driver_sql("LOCK TABLE history_jobs IN SHARE MODE")
            futures = [pool.submit(action) for action in actions]
            wait_for(waiting, timeout_s=4)
        errors = [future.exception() for future in futures]
    assert all(isinstance(error, LimitError) for error in errors if error)
    return [error or future.result() for error, future in zip(errors, futures, strict=True)]


def test_two_workers_never_claim_the_same_job(engine: Engine, wait_for: Any) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    found = at_once(engine, wait_for, *[lambda: jobs.claim_next(engine)] * 2)
    claimed = [job for job in found if isinstance(job, jobs.Job)]
    assert [job.id for job in claimed] == [job_id]


def test_the_same_request_of_two_processes_is_one_job(engine: Engine, wait_for: Any) -> None:
    found = at_once(engine, wait_for, *[lambda: jobs.enqueue(engine, FIFTY, "a")] * 2)
    assert found == [1, 1]
    assert len(jobs.newest(engine)) == 1


def test_two_processes_do_not_exceed_a_quota(engine: Engine, wait_for: Any) -> None:
    for number in range(QUOTA - 1):
        jobs.enqueue(engine, FIFTY._replace(universe=f"list-{number}"), "a")
    found = at_once(
        engine,
        wait_for,
        lambda: jobs.enqueue(engine, FIFTY, "a"),
        lambda: jobs.enqueue(engine, FIFTY._replace(universe="other"), "a"),
    )
    assert sum(isinstance(each, LimitError) for each in found) == 1
    assert len(jobs.newest(engine)) == QUOTA


def test_a_job_that_is_paused_while_it_is_claimed_is_not_claimed(engine: Engine, wait_for: Any) -> None:
    job_id = jobs.enqueue(engine, FIFTY)
    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            # The row is changed and not yet committed: the claim reads "queued" and waits to write.
            connection.exec_driver_sql("UPDATE history_jobs SET state = 'paused'")
            claim = pool.submit(jobs.claim_next, engine)

            def waits() -> bool:
                with reading(engine) as other:
                    return int(other.exec_driver_sql(WAITING).scalar_one()) == 1

            wait_for(waits, timeout_s=4)
        assert claim.result() is None
    assert jobs.fetch(engine, job_id).state == "paused"
