from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from ltp.core.criteria.spec import Spec, kind_of, text_of
from ltp.core.screener import Row
from ltp.db import evaluations, saved_screens
from ltp.web.screens import counts

SPEC = Spec(("rsi14 > 60",))
KIND = kind_of(SPEC)


def rows(*setups: tuple[int, str]) -> list[Row]:
    return [
        Row(f"NSE_EQ:{id_}", place, f"S{id_}", score=90.0 - place, setup=setup)
        for place, (id_, setup) in enumerate(setups, 1)
    ]


def two_runs(site: Any) -> tuple[int, int]:
    first = site.run(
        "longterm", rows((1, "READY"), (2, "NOT_READY"), (3, "WAIT_PULLBACK")), as_of=date(2026, 11, 20)
    )
    second = site.run(
        "longterm", rows((2, "READY"), (3, "READY"), (1, "NOT_READY")), as_of=date(2026, 11, 23)
    )
    return first, second


def cells(page: str, link: str) -> list[str]:
    line = re.search(rf'<tr><th scope="row"><a id="{link}".*?</tr>', page, re.DOTALL)
    assert line
    return [
        re.sub(r"<[^>]+>", "", cell).strip()
        for cell in re.findall(r"<td[^>]*>(.*?)</td>", line[0], re.DOTALL)
    ]


def test_the_list_has_built_in_saved_and_recent_screens(site: Any) -> None:
    two_runs(site)
    saved_screens.save(site.engine, "mine", "Mine <b>", Spec(("adx14 > 20",)))
    site.run(KIND, rows((1, "READY")), spec=text_of(SPEC), as_of=date(2026, 11, 23))
    page = site.page("/screeners")
    assert cells(page, "g-longterm")[2:7] == ["3", "2", "0", "1", "1"]
    assert cells(page, "g-swing")[2:5] == ["3", "0", "0"]
    assert cells(page, "g-mine")[1] == "never"
    assert "Mine &lt;b&gt;" in page
    assert f'<a id="g-{KIND}" href="/screeners/custom?c=rsi14+%3E+60">rsi14 &gt; 60</a>' in page


def test_the_list_shows_open_and_failed_evaluations(site: Any) -> None:
    evaluations.enqueue(site.engine, "swing")
    longterm = evaluations.enqueue(site.engine, "longterm")
    evaluations.fail(site.engine, longterm, "no candles")
    site.catalog.refresh()
    page = site.page("/screeners")
    assert cells(page, "g-swing")[-1] == "waiting for the worker"
    assert cells(page, "g-longterm")[-1] == "failed"
    assert 'hx-trigger="every 3s"' in page
    assert '<meta http-equiv="refresh" content="2">' in page


def test_kept_runs_are_listed_with_permanent_addresses(site: Any) -> None:
    first, second = two_runs(site)
    page = site.page("/screeners/longterm/runs")
    assert re.findall(r'id="r-(\d+)" href="([^"]+)"', page) == [
        (str(second), f"/screeners/longterm?run={second}"),
        (str(first), f"/screeners/longterm?run={first}"),
    ]
    assert f'href="/screeners/longterm/changes?run={second}&amp;with={first}"' in page
    assert cells(page, f"r-{second}")[4:7] == ["3", "2", "0"]
    assert ">S2</a>" in site.page(f"/screeners/longterm?run={first}")


def test_changes_are_since_the_previous_run(site: Any) -> None:
    two_runs(site)
    page = site.page("/screeners/longterm/changes")
    entered, left, setups, moved = (
        part.partition("</section>")[0] for part in page.split('<section aria-labelledby="h-')[1:]
    )
    assert re.findall(r">(S\d)</a>", entered) == ["S2"]
    assert re.findall(r">(S\d)</a>", left) == ["S1"]
    assert re.findall(r">(S\d)</a>", moved) == ["S1", "S2", "S3"]
    assert re.findall(r">(S\d)</a>", setups) == ["S3"]
    assert '<b class="l">-2</b>' in moved


def test_two_named_runs_are_compared_the_later_with_the_earlier(site: Any) -> None:
    first, second = two_runs(site)
    third = site.run("longterm", rows((1, "READY")), as_of=date(2026, 11, 24))
    page = site.page(f"/screeners/longterm/changes?run={third}&with={first}")
    assert f'<option value="{first}" selected>' in page
    assert "Nothing came into the list." in page
    assert "Both runs are of the session" not in page
    for query, status in (
        (f"run={first}&with={second}", 400),
        (f"run={second}&with={second}", 400),
        ("run=1", 404),  # the swing screener's
        ("run=x", 400),
        ("with=-1", 400),
        ("run=2&run=3", 400),
    ):
        site.page(f"/screeners/longterm/changes?{query}", status)


def test_a_second_run_of_a_session_is_compared_with_the_session_before(site: Any) -> None:
    first, _ = two_runs(site)
    again = site.run("longterm", rows((2, "READY"), (3, "READY"), (1, "NOT_READY")), as_of=date(2026, 11, 23))
    page = site.page("/screeners/longterm/changes")
    assert f"Run {again}, 23 Nov 2026, against Run {first}, 20 Nov 2026" in page
    assert cells(site.page("/screeners"), "g-longterm")[5:7] == ["1", "1"]


def test_two_runs_of_the_only_session_are_compared(site: Any) -> None:
    first = site.run("longterm", rows((1, "READY")), as_of=date(2026, 11, 23))
    site.run("longterm", rows((2, "READY")), as_of=date(2026, 11, 23))
    page = site.page("/screeners/longterm/changes")
    assert f"against Run {first}" in page
    assert "Both runs are of the session of" in page


def test_a_run_is_compared_with_one_of_the_same_universe(site: Any) -> None:
    days = [date(2026, 11, day) for day in (18, 19, 20)]
    site.run("longterm", rows((1, "READY")), as_of=days[0], universe="nifty50")
    site.run("longterm", rows((1, "READY"), (2, "READY"), (3, "READY")), as_of=days[1], universe="all")
    site.run("longterm", rows((1, "READY"), (4, "READY")), as_of=days[2], universe="nifty50")
    assert cells(site.page("/screeners"), "g-longterm")[5:7] == ["1", "0"]


def test_a_run_for_a_past_session_is_sorted_by_its_session(site: Any) -> None:
    first, second = two_runs(site)
    look_back = site.run("longterm", rows((7, "READY")), as_of=date(2026, 11, 18))
    assert re.findall(r'id="r-(\d+)"', site.page("/screeners/longterm/runs")) == [
        str(second),
        str(first),
        str(look_back),
    ]
    assert f"Run {second}, 23 Nov 2026, against Run {first}" in site.page("/screeners/longterm/changes")
    page = site.page(f"/screeners/longterm/changes?run={first}")
    assert f"against Run {look_back}, 18 Nov 2026" in page
    assert ">S7</a>" in page
    site.page(f"/screeners/longterm/changes?run={look_back}&with={first}", 400)


def test_one_run_or_none_has_no_changes(site: Any) -> None:
    assert "There is one run so far" in site.page("/screeners/swing/changes")
    assert "This screen has no runs yet" in site.page("/screeners/longterm/changes")
    assert "This screen has no runs yet" in site.page("/screeners/longterm/runs")


@pytest.mark.parametrize(
    "path", ["/screeners/nope/runs", "/screeners/nope/changes", "/screeners/custom-0/runs"]
)
def test_unknown_screens_are_not_found(site: Any, path: str) -> None:
    site.page(path, 404)


def test_a_screen_that_is_not_saved_has_its_criteria_as_title(site: Any) -> None:
    site.run(KIND, rows((1, "READY")), spec=text_of(SPEC))
    page = site.page(f"/screeners/{KIND}/runs")
    assert '<a id="b-screen" href="/screeners/custom?c=rsi14+%3E+60">rsi14 &gt; 60</a>' in page


def test_a_screen_that_this_version_refuses_does_not_break_the_list(site: Any) -> None:
    site.run("custom-0123456789ab", rows((1, "READY")), spec='{"criteria":["gone > 1"]}')
    assert "Custom screen" in site.page("/screeners")


def test_a_request_counts_for_a_limited_time(site: Any) -> None:
    two_runs(site)
    [head, was] = site.catalog.runs("longterm")
    times = iter([0.0, 1.0, 1.0])
    with site.app.test_request_context():
        assert counts.RunCounter(lambda: next(times)).counts(head, was) is None
        assert counts.RunCounter().counts(head, was) == counts.RunCounts(3, 2, 0, 1, 1)
        times = iter([0.0, 1.0])
        assert counts.RunCounter(lambda: next(times)).counts(head, was) == counts.RunCounts(3, 2, 0, 1, 1)
