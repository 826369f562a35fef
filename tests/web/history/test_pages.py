"""`/candles`: what is stored, jobs with their progress and buttons, schedules; `/candles/<list>`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from ltp.db import universes
from ltp.db.engine import writing
from ltp.db.history import jobs, schedules, summary
from ltp.db.history.jobs import CANCEL, DAILY, DONE, FAILED, FETCH, PAUSE, QUOTA, REFILL, Request
from ltp.db.history.summary import DAYS, MINUTES, Stored
from ltp.db.history.tables import history_jobs
from ltp.errors import DatabaseError
from ltp.web.history.job_lines import time_left

HDFC, TCS, UNKNOWN = "NSE_EQ:1333", "NSE_EQ:11536", "NSE_EQ:99999"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FIRST, LAST = date(2026, 11, 2), date(2026, 11, 27)
FIFTY = Request(FETCH, "nifty50", (), FIRST, LAST)
AT = datetime(2026, 11, 27, 19, 33, tzinfo=UTC)


def stored(key: str, timeframe: str = MINUTES, **values: Any) -> Stored:
    each = Stored(
        key, timeframe, FIRST, LAST, 18, 2, 1, "2026-11-20", 6_000, 1_000, 4_600, 400, 0, 75_000, AT
    )
    return each._replace(**values)


@pytest.fixture
def kept(site: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A list of three, of which one has nothing, on 30 November 2026."""
    monkeypatch.setattr("ltp.web.history.overview.today", lambda: date(2026, 11, 30))
    universes.replace(site.engine, "nifty50", "NIFTY 50", "test", [HDFC, TCS, UNKNOWN])
    universes.replace(site.engine, "list-it", "IT & more", "test", [TCS])
    site.catalog.refresh()
    with writing(site.engine) as connection:
        summary.write_in(connection, [stored(HDFC), stored(TCS, missing=0, thin=0, gap_days="", bars=7_000)])
        daily = stored(HDFC, DAYS, thin=0, live=0, broker=0, file=0, official=18, bars=18)
        summary.write_in(connection, [daily])
    return site


def cells(page: str, caption: str) -> list[list[str]]:
    """Return the texts of the cells of a table's rows."""
    table = page[page.index(caption) :]
    table = table[: table.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(unescape(re.sub("<[^>]+>", "", each)).split()) for each in row] for row in found]


def post(site: Any, path: str, client: str = "127.0.0.1", **form: Any) -> Any:
    return site.client.post(path, data=form, headers=SAME_ORIGIN, environ_overrides={"REMOTE_ADDR": client})


def add(site: Any, **changed: str) -> Any:
    form = {"action": "fetch", "of": "nifty50", "first": f"{FIRST}", "last": f"{LAST}"} | changed
    return post(site, "/candles/jobs", **form)


def test_lists_show_what_is_stored_by_timeframe(kept: Any) -> None:
    page = kept.page("/candles")
    rows = {(row[0].partition(",")[0], row[1]): row[2:] for row in cells(page, "Stored history by list")[1:]}
    assert rows["NIFTY 50", "one-minute bars"] == [
        "2 of 3",
        "91.6%",
        "3 1 thin",
        "2 Nov 2026",
        "27 Nov 2026",
        "13,000",
        "150 kB",
        "live 2,000, broker 9,200, file 800",
        "28 Nov 2026, 01:03 IST",
    ]
    assert rows["NIFTY 50", "daily candles"][:3] == ["1 of 3", "88.8%", "2"]
    assert rows["IT & more", "one-minute bars"][:3] == ["1 of 1", "100.0%", "0"]
    assert rows["IT & more", "daily candles"] == ["none counted", *["–"] * 8]
    assert rows["Everything stored", "one-minute bars"][0] == "2 of 2"
    assert 'href="/candles/nifty50?timeframe=1m"' in page
    assert 'href="/candles/audit"' in page
    assert "python -m ltp candles minutes import" in page


def test_without_lists_and_jobs_the_page_says_so(site: Any) -> None:
    with writing(site.engine) as connection:
        connection.exec_driver_sql("DELETE FROM universes")
    site.catalog.refresh()
    page = site.page("/candles")
    assert "No job was requested yet." in page
    assert "There is no list yet" in page
    assert "hx-trigger" not in page[page.index("<main") :]


def test_a_job_is_queued_and_shown(kept: Any) -> None:
    answer = add(kept, action="refill")
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/candles")
    [job] = jobs.newest(kept.engine)
    assert (job.request, job.state) == (FIFTY._replace(action=REFILL), "queued")
    page = kept.page(answer.headers["Location"].partition("#")[0])
    assert "The job is queued." in page
    assert cells(page, "Jobs, open ones first")[1][:7] == [
        f"{job.id}",
        "queued",
        "–",
        f"Pause job {job.id}Cancel job {job.id}",
        "Refill missing sessions of one-minute bars: NIFTY 50, 2 Nov 2026 to 27 Nov 2026",
        cells(page, "Jobs, open ones first")[1][5],
        "you",
    ]
    assert 'hx-get="/candles/progress?seen=' in page
    assert "<noscript>" in page
    assert "The job is queued." not in kept.page("/candles")


def test_an_invented_mark_claims_nothing(kept: Any) -> None:
    assert "The job is queued." not in kept.page(f"/candles?asked=1796108504-{'0' * 32}")
    assert "only a redirect of this site writes it" in kept.page("/candles?asked=x", 400)


def test_named_instruments_by_symbol_or_key(kept: Any) -> None:
    assert add(kept, of="named", keys="hdfcbank, nse_eq:11536 NIFTY").status_code == 303
    [job] = jobs.newest(kept.engine)
    assert job.request.keys == (HDFC, TCS, "IDX_I:13")
    assert (
        "HDFCBANK, TCS, NIFTY, 2 Nov 2026 to 27 Nov 2026"
        in cells(kept.page("/candles"), "Jobs, open ones first")[1][4]
    )


def test_a_refusal_keeps_what_was_typed(kept: Any) -> None:
    answer = add(kept, of="named", keys='NOBODY "<b>', last="2026-11-26")
    assert (answer.status_code, answer.headers["HX-Push-Url"]) == (400, "/candles")
    assert "the instrument master has no such symbol or key." in answer.text
    assert 'value="NOBODY &#34;&lt;b&gt;"' in answer.text
    assert 'value="2026-11-26"' in answer.text
    assert re.search(r'id="keys"[^>]*aria-invalid="true"', answer.text)
    assert jobs.newest(kept.engine) == []


def test_the_form_says_how_far_back_bars_are_kept(kept: Any) -> None:
    page = " ".join(re.sub("<[^>]+>", "", kept.page("/candles")).split())
    assert (
        "Bars of days before 2 Oct 2026 become five-minute bars at 01:00 IST (MINUTE_BARS_DAYS), and days before "
        "1 Dec 2024 are not kept (LONGER_BARS_DAYS)." in page
    )
    answer = add(kept, first="2024-11-30")
    assert answer.status_code == 400
    assert "bars of days before 2024-12-01 are not kept, see LONGER_BARS_DAYS." in answer.text
    assert jobs.newest(kept.engine) == []
    assert 'name="first" value="2026-10-02"' in kept.page("/candles/nifty50")


@pytest.mark.parametrize("path", ["jobs", "jobs/1/pause", "schedules"])
def test_another_site_changes_nothing(kept: Any, path: str) -> None:
    jobs.enqueue(kept.engine, FIFTY)
    answer = kept.client.post(f"/candles/{path}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert [job.state for job in jobs.newest(kept.engine)] == ["queued"]


@pytest.mark.parametrize("path", ["jobs", "jobs/1/pause", "schedules"])
def test_addresses_of_forms_lead_to_the_page(kept: Any, path: str) -> None:
    answer = kept.client.get(f"/candles/{path}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/candles")


def test_buttons_change_a_job(kept: Any) -> None:
    job_id = jobs.enqueue(kept.engine, FIFTY)
    for how, state, buttons in (
        ("pause", "paused", ["resume", "cancel"]),
        ("resume", "queued", ["pause", "cancel"]),
        ("cancel", "cancelled", ["again"]),
        ("pause", "cancelled", ["again"]),  # it has ended meanwhile: the page shows it
    ):
        answer = post(kept, f"/candles/jobs/{job_id}/{how}")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/candles#jobs")
        assert jobs.fetch(kept.engine, job_id).state == state
        page = kept.page("/candles")
        assert re.findall(rf'action="/candles/jobs/{job_id}/(\w+)"', page) == buttons
    assert post(kept, f"/candles/jobs/{job_id}/again").status_code == 303
    assert [(job.request, job.state) for job in jobs.newest(kept.engine)] == [
        (FIFTY, "queued"),
        (FIFTY, "cancelled"),
    ]


BEYOND = 2**31  # the next above the largest that the column takes


@pytest.mark.parametrize(
    "path",
    [
        "jobs/7/pause",
        "jobs/7/again",
        "jobs/1/delete",
        "jobs/x/pause",
        f"jobs/{BEYOND - 1}/pause",
        f"jobs/{BEYOND}/pause",
        f"jobs/{10**20}/again",
    ],
)
def test_an_unknown_job_or_button_is_not_found(kept: Any, path: str) -> None:
    jobs.enqueue(kept.engine, FIFTY)
    assert post(kept, f"/candles/{path}").status_code == 404


def test_a_client_has_a_quota(kept: Any) -> None:
    for number in range(QUOTA):
        assert add(kept, first=f"2026-11-{number + 10}", client="203.0.113.9").status_code == 303
    assert add(kept, client="203.0.113.10").status_code == 303
    answer = add(kept, action="refill", client="203.0.113.9")
    assert answer.status_code == 503
    assert "The limit of 5 jobs of yours that have not ended is reached" in answer.text


def test_progress_has_a_bar_a_rate_and_the_time_left(kept: Any) -> None:
    job_id = jobs.enqueue(kept.engine, FIFTY)
    seen = re.search(r"seen=(\w+)", kept.page("/candles"))
    assert seen is not None
    assert "Waiting for the worker." in kept.page(f"/candles/progress?seen={seen[1]}")
    jobs.claim_next(kept.engine)
    assert 'hx-trigger="load"' in kept.page(f"/candles/progress?seen={seen[1]}")
    seen = re.search(r"seen=(\w+)", kept.page("/candles"))
    assert seen is not None
    assert "finding out what to fetch" in kept.page(f"/candles/progress?seen={seen[1]}")
    jobs.beat(kept.engine, job_id, done=1_200, total=2_500, per_min=212.4, place=HDFC)
    fragment = kept.page(f"/candles/progress?seen={seen[1]}")
    assert '<progress max="2500" value="1200"' in fragment
    assert "1,200 of 2,500 instruments" in fragment
    assert "212 instruments/min" in fragment
    assert "about 6 min left" in fragment
    with writing(kept.engine) as connection:
        connection.execute(update(history_jobs).values(beat_at=datetime.now(UTC) - timedelta(seconds=61)))
    assert "Its worker gives no sign of life" in kept.page(f"/candles/progress?seen={seen[1]}")
    jobs.end(kept.engine, job_id, FAILED, "The broker refuses the token <b>")
    assert "<strong>Changed:</strong>" in kept.page(f"/candles/progress?seen={seen[1]}")
    page = kept.page("/candles")
    assert "The broker refuses the token &lt;b&gt;" in page
    assert 'id="progress"' not in page


def test_a_paused_job_needs_no_polling(kept: Any) -> None:
    jobs.change(kept.engine, jobs.enqueue(kept.engine, FIFTY), PAUSE)
    assert 'id="progress"' not in kept.page("/candles")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_169, "119 min"),
        (7_200, "2 h 0 min"),
        (9_000, "2 h 30 min"),
    ],
)
def test_time_left_is_as_exact_as_it_needs(seconds: int | None, text: str) -> None:
    assert time_left(seconds) == text


def test_lists_are_scheduled_by_their_ticks(kept: Any) -> None:
    answer = kept.client.post("/candles/schedules", data={"list": ["nifty50", "nobody"]}, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/candles#schedules")
    assert schedules.scheduled(kept.engine) == {"nifty50"}
    assert re.findall(r'value="([\w-]+)"[^>]* checked', kept.page("/candles")) == ["nifty50"]
    kept.client.post("/candles/schedules", data={"list": ["list-it"]}, headers=SAME_ORIGIN)
    assert schedules.scheduled(kept.engine) == {"list-it"}
    kept.client.post("/candles/schedules", headers=SAME_ORIGIN)
    assert schedules.scheduled(kept.engine) == set()


def test_instruments_of_a_list_the_most_gaps_first(kept: Any) -> None:
    page = kept.page("/candles/nifty50")
    rows = cells(page, "Stored history by instrument")
    assert rows[0][:7] == ["Instrument", "Missing sessions", "Covered", "From", "To", "Bars", "Size"]
    assert rows[1:] == [
        [UNKNOWN, "–", "–", "nothing stored", *["–"] * 6],
        [
            f"HDFCBANK {HDFC}",
            "3 1 thin",
            "83.3%",
            "2 Nov 2026",
            "27 Nov 2026",
            "6,000",
            "75 kB",
            "2026-11-20",
            "live 1,000, broker 4,600, file 400",
            "28 Nov 2026, 01:03 IST",
        ],
        [f"TCS {TCS}", "0", "100.0%", *rows[3][3:5], "7,000", *rows[3][6:]],
    ]
    assert 'href="/instruments/NSE_EQ/1333?timeframe=1m"' in page
    assert (
        'aria-sort="descending"><a id="h-missing" href="/candles/nifty50?timeframe=1m&amp;sort=missing"'
        in page
    )


def test_a_list_is_sorted_by_its_heads_and_has_a_daily_tab(kept: Any) -> None:
    rows = cells(kept.page("/candles/nifty50?timeframe=1m&sort=-bars"), "Stored history by instrument")
    assert [row[0].partition(" ")[0] for row in rows[1:]] == ["TCS", "HDFCBANK", UNKNOWN]
    page = kept.page("/candles/nifty50?timeframe=1d&sort=symbol")
    rows = cells(page, "Stored history by instrument")
    assert [row[8] for row in rows[1:] if row[0].startswith("HDFC")] == ["official 18"]
    assert "Refill missing sessions" not in page
    assert 'href="/instruments/NSE_EQ/1333?timeframe=1d"' in page


def test_a_long_list_has_pages(kept: Any) -> None:
    universes.replace(kept.engine, "all", "All", "test", [f"NSE_EQ:{number}" for number in range(1, 251)])
    kept.catalog.refresh()
    page = kept.page("/candles/all?page=2")
    assert "101–200 of 250" in page
    assert 'rel="prev" href="/candles/all?timeframe=1m"' in page
    assert 'rel="next" href="/candles/all?timeframe=1m&amp;page=3"' in page
    assert "There is no page 4." in kept.page("/candles/all?page=4")


@pytest.mark.parametrize(
    ("query", "status"),
    [("nobody", 404), ("nifty50?timeframe=5m", 400), ("nifty50?sort=-name", 400), ("nifty50?page=0", 400)],
)
def test_what_a_list_refuses(kept: Any, query: str, status: int) -> None:
    kept.page(f"/candles/{query}", status)


def test_everything_stored_is_a_list_too(kept: Any) -> None:
    rows = cells(kept.page("/candles/everything"), "Stored history by instrument")
    assert len(rows) == 3


def test_a_database_that_is_away_is_said(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseError("away", permanent=True)

    monkeypatch.setattr("ltp.db.history.jobs.newest", away)
    assert "The database cannot be reached." in kept.page("/candles", 503)
    fragment = kept.client.get("/candles/progress", headers={"HX-Request-Type": "partial"})
    assert (fragment.status_code, fragment.headers["HX-Reswap"]) == (503, "none")


def test_no_page_and_no_form_waits_long_inside_sqlite(kept: Any) -> None:
    """While SQLite waits, no other greenlet of the process runs: its streams would stand still."""
    job_id = jobs.enqueue(kept.engine, FIFTY)
    waits: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("PRAGMA busy_timeout"):
            waits.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    for path in ("candles", "candles/progress", "candles/nifty50"):
        kept.page(f"/{path}")
    assert add(kept, action="refill").status_code == 303
    for how in ("pause", "cancel", "again"):
        assert post(kept, f"/candles/jobs/{job_id}/{how}").status_code == 303
    assert post(kept, "/candles/schedules", list="nifty50").status_code == 303
    event.remove(Engine, "before_cursor_execute", note)
    assert len(waits) == 15
    assert set(waits) == {"PRAGMA busy_timeout = 50"}


def test_ended_and_daily_jobs_are_worded(kept: Any) -> None:
    job_id = jobs.enqueue(kept.engine, Request(DAILY, "list-gone"), "10.0.0.9")
    jobs.claim_next(kept.engine)
    jobs.end(kept.engine, job_id, DONE, "9 candles fetched.")
    jobs.change(kept.engine, jobs.enqueue(kept.engine, FIFTY._replace(first_day=LAST)), CANCEL)
    cancelled, done = cells(kept.page("/candles"), "Jobs, open ones first")[1:]
    assert (cancelled[1], cancelled[4]) == ("cancelled", "Fetch one-minute bars: NIFTY 50, 27 Nov 2026")
    assert (done[1], done[4], done[6], done[8]) == (
        "done",
        "Fetch daily candles: list-gone",
        "another client",
        "9 candles fetched.",
    )
