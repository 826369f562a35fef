from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import date
from html import unescape
from typing import Any

import pytest

from ltp.core.criteria.spec import Spec, kind_of, text_of
from ltp.core.screener import Row
from ltp.db import evaluations, universes
from ltp.web.screens import catalogue, custom

SPEC = Spec(("rsi14 > 60",))
KIND = kind_of(SPEC)
URL = "/screeners/custom?c=rsi14+>+60"
DAY = date(2026, 11, 23)
FOUND = [
    Row(
        "NSE_EQ:1333",
        1,
        "HDFCBANK",
        "HDFC Bank Limited",
        score=81.0,
        setup="READY",
        facts={"rsi": 64.2, "volume": 10.0},
    ),
    Row("NSE_EQ:11536", 2, "TCS", score=60.0, setup="NOT_READY", facts={"rsi": 61.0}),
]


def evaluated(site: Any, rows: list[Row] = FOUND, spec: Spec = SPEC, as_of: date = DAY) -> int:
    run_id: int = site.run(
        kind_of(spec), rows, as_of=as_of, universe="nifty50", evaluated=50, spec=text_of(spec)
    )
    return run_id


def queued(site: Any) -> Any:
    site.catalog.refresh()
    return evaluations.next_queued(site.engine)


def test_the_empty_page_is_a_form_with_examples_and_the_vocabulary(site: Any) -> None:
    page = site.page("/screeners/custom")
    assert 'id="c-new" name="c" value=""' in page
    assert "<code>pct_from_high52</code>" in page
    assert "<code>crosses_above(close, ema50)</code>" in page
    assert queued(site) is None


def test_every_example_is_accepted(site: Any) -> None:
    for example in custom.EXAMPLES:
        assert site.client.head(example.url).status_code == 200


def test_opening_the_address_evaluates_the_screen_once_and_shows_progress(site: Any) -> None:
    first = site.page(URL)
    assert "Waiting for the worker." in first
    assert 'http-equiv="refresh"' not in first  # the form may be half typed
    assert 'id="reload" href="/screeners/custom?c=' in first
    assert re.search(
        r'hx-get="/screeners/custom/progress\?c=rsi14\+%3E\+60&amp;asked=\d+-[0-9a-f]{32}" hx-trigger="every 1s"',
        first,
    )
    waiting = queued(site)
    assert (waiting.kind, waiting.spec) == (KIND, text_of(SPEC))
    site.page(URL)
    assert queued(site).id == waiting.id


def test_progress_becomes_the_page_of_the_new_run(site: Any) -> None:
    site.page(URL)
    waiting = queued(site)
    evaluations.claim(site.engine, waiting.id)
    best = [evaluations.TopRow("NSE_EQ:1333", "HDFC<b>", 81.0, "READY")]
    evaluations.beat(site.engine, waiting.id, done=1_500, total=2_500, found=120, per_s=500.0, best=best)
    site.catalog.refresh()
    running = site.page("/screeners/custom/progress?c=rsi14+>+60&sort=-rsi")
    assert '<progress max="2500" value="1500"' in running
    assert "500 a second" in running
    assert "120 found so far" in running
    assert "about 2 s left" in running
    assert "HDFC&lt;b&gt; <small>81.0</small>" in running
    evaluations.finish(site.engine, waiting.id, evaluated(site))
    site.catalog.refresh()
    done = site.page("/screeners/custom/progress?c=rsi14+>+60&sort=-rsi&asked=1")
    assert (
        'hx-get="/screeners/custom?c=rsi14+%3E+60&amp;sort=-rsi" hx-trigger="load" hx-target="#screen"'
        in done
    )
    page = site.page(URL)
    assert ">HDFCBANK</a>" in page
    assert "Waiting for the worker" not in page


def test_a_screen_with_a_run_on_the_newest_candles_is_not_evaluated_again(site: Any) -> None:
    evaluated(site)
    page = site.page(URL)
    assert "2 of 50 shares" in page
    assert "64.2" in page
    assert queued(site) is None


def test_a_run_on_older_candles_is_shown_while_a_new_one_is_queued(site: Any) -> None:
    evaluated(site, as_of=date(2026, 11, 20))
    site.run("swing", [], as_of=DAY)
    page = site.page(URL)
    assert ">HDFCBANK</a>" in page
    assert "Waiting for the worker" in page
    assert queued(site).kind == KIND


def test_a_universe_without_newer_candles_is_not_evaluated_at_each_opening(site: Any) -> None:
    site.run("swing", [], as_of=DAY)
    evaluated(site, as_of=date(2026, 11, 20))  # made after the other run, so it had no newer candles
    site.page(URL)
    assert queued(site) is None


def test_a_failure_is_shown_with_its_reason_above_the_last_good_run(site: Any) -> None:
    evaluated(site, as_of=date(2026, 11, 20))
    site.run("swing", [], as_of=DAY)
    site.page(URL)
    evaluations.fail(site.engine, queued(site).id, "the disk is <full>")
    site.catalog.refresh()
    page = site.page(URL)
    assert (
        "The last evaluation failed:</strong> the disk is &lt;full&gt;. The last good run is shown." in page
    )
    assert ">HDFCBANK</a>" in page
    assert ">Try again</button>" in page
    assert queued(site) is None  # opening the page does not repeat it


def test_a_full_queue_is_a_503_with_retry_after(site: Any) -> None:
    for number in range(evaluations.MAX_OPEN):
        evaluations.enqueue(site.engine, f"custom-{number:012}", "")
    answer = site.client.get(URL, headers={"Sec-Fetch-Site": "none"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "The limit of 50 screens that wait to be evaluated is reached; try again in 30 s." in answer.text
    assert 'value="rsi14 &gt; 60"' in answer.text


def test_a_locked_database_leaves_the_last_good_run(site: Any) -> None:
    evaluated(site, as_of=date(2026, 11, 20))
    site.run("swing", [], as_of=DAY)
    site.page(URL)  # reads the run into the cache
    waiting = queued(site)
    evaluations.claim(site.engine, waiting.id)
    evaluations.finish(site.engine, waiting.id, waiting.id)
    site.catalog.refresh()
    with closing(sqlite3.connect(site.engine.url.database)) as other:
        other.execute("BEGIN EXCLUSIVE")
        page = site.page(URL)
    assert ">HDFCBANK</a>" in page
    assert "database is locked. The last good run is shown." in page


def test_errors_are_below_their_fields_and_point_at_the_character(site: Any) -> None:
    page = site.page("/screeners/custom?c=rsi+>+60&c=close+>+<b>&min_price=x&universe=nope", 400)
    assert 'id="c2" name="c" value="close &gt; &lt;b&gt;"' in page
    assert 'aria-invalid="true" aria-describedby="c2-error"' in page
    assert '<div class="complaint" id="c2-error" role="alert"><p>Criterion 2, character 9:' in page
    assert "<pre>close &gt; &lt;b&gt;\n        ^</pre>" in page
    assert 'aria-describedby="min_price-error"' in page
    assert 'aria-describedby="universe-error"' in page
    assert 'aria-describedby="c1-error"' not in page
    assert queued(site) is None


@pytest.mark.parametrize(
    ("query", "to"),
    [
        ("c=rsi+>+60&c=&universe=&min_price=&fact=&is=>&number=&other=", "c=rsi14+%3E+60"),
        ("c=&fact=rsi&is=>&number=60&other=&sort=-rsi", "c=rsi14+%3E+60&sort=-rsi"),
        ("c=rsi>60&c=RSI(14)>60&c=", "c=rsi14+%3E+60"),
        ("c=&min_price=50.00", "min_price=50"),
    ],
)
def test_empty_fields_are_removed_from_the_address(site: Any, query: str, to: str) -> None:
    answer = site.client.get(f"/screeners/custom?{query}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/screeners/custom?{to}")
    assert queued(site) is None


def test_links_of_the_table_keep_the_criteria(site: Any) -> None:
    evaluated(site)
    page = site.page(f"{URL}&sort=-rsi")
    assert 'href="/screeners/custom?c=rsi14+%3E+60&amp;sort=rsi"' in page
    assert '<input type="hidden" name="c" value="rsi14 &gt; 60">' in page
    stream = re.search(r'hx-sse:connect="([^"]+)"', page)
    assert stream
    answer = site.client.get(unescape(stream[1]), buffered=False)
    assert "1,650.35" in next(iter(answer.response)).decode()
    answer.close()


def test_a_poll_keeps_every_criterion(site: Any) -> None:
    spec = Spec(("rsi14 > 60", "close > ema50"))
    evaluated(site, spec=spec)
    poll = site.page("/screeners/custom/poll?c=rsi14+>+60&c=close+>+ema50")
    assert "poll?c=rsi14+%3E+60&amp;c=close+%3E+ema50&amp;n=1" in poll
    assert "1,650.35" in poll


def test_files_of_a_custom_screen(site: Any) -> None:
    evaluated(site)
    assert "HDFCBANK" in site.page("/screeners/custom.csv?c=rsi14+>+60")
    assert site.client.get("/screeners/custom.json?c=rsi14+>+60").json


def test_facts_in_the_criteria_have_columns(site: Any) -> None:
    assert catalogue.facts_in(Spec(("gap_pct > 2 and rsi14 > 60", "sma(volume, 20) > 5"))) == (
        "gap_pct",
        "rsi",
        "volume",
    )
    spec = Spec(("gap_pct > 2",))
    evaluated(site, [FOUND[0]._replace(facts={"gap_pct": 3.1})], spec)
    assert 'id="s-gap_pct"' in site.page("/screeners/custom?c=gap_pct+>+2")


def test_universes_are_offered_by_name_and_size(site: Any) -> None:
    universes.replace(site.engine, "nifty50", "NIFTY 50", "a test", ["NSE_EQ:1333", "NSE_EQ:11536"])
    site.catalog.refresh()
    assert '<option value="nifty50" selected>NIFTY 50 (2)</option>' in site.page(
        "/screeners/custom?c=rsi>60&universe=nifty50"
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{URL}&sort=nope", 400),
        (f"{URL}&run=999", 404),
        (f"{URL}&page=x", 400),
        ("/screeners/custom?c=%00", 400),
        ("/screeners/custom?c=" + "(" * 400, 400),
        ("/screeners/custom?c=" + "a" * 5000, 400),
        ("/screeners/custom?c=%ff%fe", 400),
        ("/screeners/custom?c=__import__('os')", 400),
        ("/screeners/custom/stream", 400),
        ("/screeners/custom/poll?c=%3Cscript%3E", 400),
        ("/screeners/custom.csv", 400),
        ("/screeners/custom.exe?c=rsi>1", 404),
        ("/screeners/custom/progress", 400),
        (f"{URL}&asked=x", 400),
        (f"{URL}&asked=1&asked=2", 400),
    ],
)
def test_a_hostile_address_is_refused(site: Any, path: str, status: int) -> None:
    evaluated(site)
    page = site.page(path, status)
    assert "Traceback" not in page
    assert "<script>" not in page


SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def test_a_sent_form_requests_the_evaluation_and_redirects_to_the_screen(site: Any) -> None:
    form = {"c": ["RSI>60", ""], "universe": "", "fact": "", "is": ">", "tab": "recommendations"}
    answer = site.client.post("/screeners/custom", data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(
        "/screeners/custom?c=rsi14+%3E+60&tab=recommendations&asked="
    )
    assert queued(site).kind == KIND
    # On plain HTTP from another machine a browser sends no Sec-Fetch headers.
    assert "Waiting for the worker." in site.client.get(answer.headers["Location"]).text


def test_an_empty_form_redirects_to_the_empty_page(site: Any) -> None:
    answer = site.client.post("/screeners/custom", data={"c": "", "is": ">"}, headers=SAME_ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/screeners/custom")
    assert queued(site) is None


def test_a_form_longer_than_an_address_is_refused_with_its_fields_kept(site: Any) -> None:
    assert "At most 20, of up to 500 characters each and 2,000 together." in site.page("/screeners/custom")
    long = " and pct_from_high52 > 123456.25" * 15
    typed = [f"close > {number}{long}" for number in range(20)]
    assert max(map(len, typed)) > 480
    answer = site.client.post("/screeners/custom", data={"c": typed}, headers=SAME_ORIGIN)
    assert answer.status_code == 400
    assert "together the criteria have at most 2,000" in answer.text
    assert f'id="c20" name="c" value="close &gt; 19{long.replace(">", "&gt;")}"' in answer.text


def test_another_site_cannot_send_the_form(site: Any) -> None:
    assert site.client.post("/screeners/custom", data={"c": "rsi > 60"}).status_code == 403
    assert queued(site) is None
