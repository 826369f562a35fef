from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from ltp.core.criteria.spec import BUILT_IN, Spec, kind_of, text_of
from ltp.db import evaluations, saved_screens
from ltp.db.schema import screenings as table

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def post(site: Any, path: str) -> Any:
    return site.client.post(path, headers=SAME_ORIGIN)


def test_run_now_queues_an_evaluation_and_redirects_to_the_same_rows(site: Any) -> None:
    answer = post(site, "/screeners/swing/run?tab=recommendations&sort=-score&run=1&page=2")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/screeners/swing?tab=recommendations&sort=-score&asked=")
    waiting = evaluations.next_queued(site.engine)
    assert (waiting.kind, waiting.spec, waiting.universe) == ("swing", text_of(BUILT_IN), "")
    # The catalog has not read it yet; the mark in the address proves it.
    page = site.page(answer.headers["Location"].replace("-score", "symbol"))
    assert "Waiting for the worker." in page
    assert "Requested; one run of a screen at a time." in page
    assert "Run now" not in page
    assert ">HDFCBANK</a>" in page


def test_a_get_of_the_run_address_redirects_to_the_page(site: Any) -> None:
    answer = site.client.get("/screeners/custom/run?c=rsi+>+60&sort=-rsi")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        "/screeners/custom?c=rsi+%3E+60&sort=-rsi",
    )
    assert site.client.get("/screeners/nope/run").status_code == 404
    assert evaluations.next_queued(site.engine) is None


def test_two_requests_are_one_evaluation(site: Any) -> None:
    assert (
        post(site, "/screeners/longterm/run").status_code
        == post(site, "/screeners/longterm/run").status_code
        == 303
    )
    first = evaluations.next_queued(site.engine)
    evaluations.claim(site.engine, first.id)
    post(site, "/screeners/longterm/run")
    assert evaluations.next_queued(site.engine) is None


def test_custom_and_saved_screens_are_evaluated_by_their_criteria(site: Any) -> None:
    spec = Spec(("rsi14 > 60",))
    saved_screens.save(site.engine, "mine", "Mine", spec)
    site.catalog.refresh()
    assert post(site, "/screeners/mine/run").status_code == 303
    assert evaluations.next_queued(site.engine).kind == kind_of(spec)
    assert (
        post(site, "/screeners/custom/run?c=RSI>60").headers["Location"].startswith("/screeners/custom?c=RSI")
    )
    assert post(site, "/screeners/custom/run").status_code == 400
    assert post(site, "/screeners/nope/run").status_code == 404


def test_a_full_queue_refuses_custom_screens_and_not_the_built_in_ones(site: Any) -> None:
    for number in range(evaluations.MAX_OPEN):
        evaluations.enqueue(site.engine, f"custom-{number:012}", "")
    answer = post(site, "/screeners/custom/run?c=rsi14+>+60")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert post(site, "/screeners/swing/run").status_code == 303
    assert evaluations.next_queued(site.engine).kind == "swing"


def test_the_quota_is_of_the_client_that_a_trusted_proxy_forwards(site: Any) -> None:
    def status_of(number: int, client: str) -> int:
        headers = SAME_ORIGIN | {"X-Forwarded-For": client}
        status: int = site.client.post(
            f"/screeners/custom/run?c=rsi14+>+{number}", headers=headers
        ).status_code
        return status

    assert [status_of(number, "198.51.100.1") for number in range(6)] == [303] * 5 + [503]
    assert status_of(6, "198.51.100.2") == 303
    assert [status_of(number, "2001:db8::1") for number in range(10, 13)] == [303] * 3
    assert [status_of(number, "2001:db8::2") for number in range(13, 16)] == [303, 303, 503]


def test_a_locked_database_is_a_503(site: Any) -> None:
    with closing(sqlite3.connect(site.engine.url.database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = post(site, "/screeners/swing/run")
    assert answer.status_code == 503
    assert "The database cannot be reached." in answer.text


def test_the_first_evaluation_is_shown_on_a_page_without_rows(site: Any) -> None:
    post(site, "/screeners/longterm/run")
    site.catalog.refresh()
    page = site.page("/screeners/longterm")
    assert "Waiting for the worker." in page
    assert 'hx-get="/screeners/longterm/progress"' in page
    assert '<meta http-equiv="refresh" content="2">' in page


@pytest.mark.parametrize(
    "make_mark",
    [
        lambda: "1",
        lambda: "99999999999",
        lambda: f"{time.time():.0f}",
        lambda: f"{time.time():.0f}-{'0' * 32}",
    ],
)
def test_a_forged_mark_shows_no_evaluation(site: Any, make_mark: Any) -> None:
    mark = make_mark()
    assert 'hx-trigger="load"' in site.page(f"/screeners/swing/progress?asked={mark}")
    answer = site.client.get(f"/screeners/swing?tab=recommendations&run=1&asked={mark}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/screeners/swing?tab=recommendations")
    page = site.page("/screeners/swing?tab=recommendations")
    assert "Waiting for the worker" not in page
    assert "Run now" in page


def test_the_mark_of_one_screen_is_not_valid_for_another(site: Any) -> None:
    mark = post(site, "/screeners/swing/run").headers["Location"].partition("asked=")[2]
    assert "Waiting for the worker." in site.page(f"/screeners/swing?asked={mark}")
    answer = site.client.get(f"/screeners/longterm?asked={mark}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/screeners/longterm")


def test_an_evaluation_without_a_beat_has_failed(site: Any) -> None:
    post(site, "/screeners/swing/run")
    waiting = evaluations.next_queued(site.engine)
    evaluations.claim(site.engine, waiting.id)
    with site.engine.begin() as connection:
        connection.execute(update(table).values(beat_at=datetime.now(UTC) - timedelta(minutes=2)))
    site.catalog.refresh()
    page = site.page("/screeners/swing")
    assert "there was no sign of life for a minute." in page
    assert ">Try again</button>" in page


def test_an_evaluation_whose_run_is_not_read_yet_is_running(site: Any) -> None:
    post(site, "/screeners/swing/run")
    waiting = evaluations.next_queued(site.engine)
    evaluations.claim(site.engine, waiting.id)
    evaluations.finish(site.engine, waiting.id, 999)
    site.catalog.refresh()
    assert "reading the daily candles" in site.page("/screeners/swing/progress")
    with site.engine.begin() as connection:
        connection.execute(update(table).values(beat_at=datetime.now(UTC) - timedelta(seconds=20)))
    site.catalog.refresh()
    assert 'hx-trigger="load"' in site.page("/screeners/swing/progress")
