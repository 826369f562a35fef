from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from ltp.core.clients import allotment
from ltp.web.subscriptions import latest


def rows(page: str) -> list[str]:
    """Return the symbols of the table in their order."""
    body = page.partition('id="rows">')[2].partition("</tbody>" if "</tbody>" in page else "</hx-partial>")[0]
    return [part.partition(">")[2].partition("<")[0] for part in body.split('<a id="s-')[1:]]


def test_the_page_says_what_is_on_the_feed_and_why(site: Any, worker: Any) -> None:
    page = site.page("/subscriptions")
    assert rows(page) == ["NIFTY", "M&amp;M", "HDFCBANK", "TCS", "HDFCBANK"]
    assert "<strong>4</strong> of 4 places taken" in page
    assert ">1 waiting</strong>" in page
    assert "accepts 5 of an account" in page
    assert allotment.RULE.replace("'", "&#39;") in page
    assert '<a href="/screeners/swing">Swing screener</a>' in page
    assert "Mine &lt;img src=x onerror=&#34;alert(1)&#34;&gt;" in page
    assert '<a href="/watchlists/one">Watchlist =List one</a>' in page
    assert "<img" not in page
    assert "3 min" in page
    assert "1,240" in page
    assert worker.looks == 1


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ("state=ticking", ["NIFTY", "HDFCBANK"]),
        ("reason=screen", ["M&amp;M", "HDFCBANK", "TCS"]),
        ("reason=saved:mine", ["HDFCBANK"]),
        ("reason=watchlist:other", []),
        ("segment=BSE_EQ", ["HDFCBANK"]),
        ("q=hdfc+bank+nse", ["HDFCBANK"]),
        ("q=11536", ["TCS"]),
        ("sort=-rate", ["HDFCBANK", "NIFTY", "M&amp;M", "TCS", "HDFCBANK"]),
        ("sort=age", ["NIFTY", "HDFCBANK", "M&amp;M", "TCS", "HDFCBANK"]),
        ("sort=-place", ["HDFCBANK", "TCS", "HDFCBANK", "M&amp;M", "NIFTY"]),
        ("sort=symbol", ["HDFCBANK", "HDFCBANK", "M&amp;M", "NIFTY", "TCS"]),
        ("sort=-viewers&state=stale", ["M&amp;M"]),
    ],
)
def test_filter_and_order_are_in_the_address(site: Any, worker: Any, query: str, symbols: list[str]) -> None:
    assert rows(site.page(f"/subscriptions?{query}")) == symbols
    assert rows(site.page(f"/subscriptions/poll?{query}")) == symbols


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("state=odd", "state: &#39;odd&#39; is not accepted"),
        ("reason=odd", "reason: &#39;odd&#39; is not accepted"),
        ("size=7", "it is one of 50, 100, 200"),
        ("sort=price", "sort: &#39;price&#39;"),
        ("colour=red", "colour: &#39;red&#39; is not accepted; the parameters are"),
        ("page=0", "whole number from 1"),
    ],
)
def test_a_wrong_parameter_is_named(site: Any, worker: Any, query: str, sentence: str) -> None:
    assert sentence in site.page(f"/subscriptions?{query}", 400)


def test_long_tables_have_pages(site: Any, worker: Any, make_table: Any) -> None:
    [first, *_] = make_table().rows
    worker.write(make_table([first._replace(key=f"NSE_EQ:{n}", place=n) for n in range(1, 251)]))
    page = site.page("/subscriptions?page=3")
    assert len(rows(page)) == 50
    assert "201–250 of 250" in page
    assert 'href="/subscriptions?page=2"' in page
    page = site.page("/subscriptions?size=50&page=99")  # the last one
    assert "page 5 of 5" in page


def test_a_poll_renews_the_parts_and_nothing_else(site: Any, worker: Any) -> None:
    answer = site.client.get("/subscriptions/poll?state=ticking", headers={"HX-Request-Type": "partial"})
    assert answer.headers["HX-Reswap"] == "innerHTML"
    parts = ("rows", "counts", "pager", "status", "beat")
    assert [name for name in parts if f'<hx-partial id="{name}"' in answer.text] == list(parts)
    assert "<form" not in answer.text
    assert 'hx-get="/subscriptions/poll?state=ticking"' in site.page("/subscriptions?state=ticking")
    assert 'hx-get="/subscriptions/poll' not in site.page("/subscriptions?live=0")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The worker has not written its table yet"),
        (None, "Redis does not answer this web process"),
    ],
)
def test_without_a_table_the_page_says_why_and_shows_no_row(
    site: Any, worker: Any, monkeypatch: pytest.MonkeyPatch, content: bytes | None, sentence: str
) -> None:
    monkeypatch.setattr("ltp.web.subscriptions.latest._FIRST_WITHIN_S", 0.0)
    worker.content = content
    page = site.page("/subscriptions")
    assert sentence in page
    assert rows(page) == []
    for path in ("/subscriptions.csv", "/api/v1/subscriptions"):
        answer = site.client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert sentence in answer.text


def test_a_table_that_nobody_renews_is_not_shown_as_the_present_one(
    site: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(latest, "TABLES", latest.Tables(lambda: now[0]))
    assert rows(site.page("/subscriptions"))
    now[0] += 7.9
    assert rows(site.page("/subscriptions"))
    now[0] += 0.2
    monkeypatch.setattr("ltp.web.subscriptions.latest._FIRST_WITHIN_S", 0.0)
    page = site.page("/subscriptions")
    assert rows(page) == []
    assert "The worker has stopped writing its table" in page


def test_a_worker_that_is_away_is_said_though_its_last_table_is_still_there(
    site: Any, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.web.subscriptions.latest.LINK_DEAD_AFTER_S", -1.0)
    page = site.page("/subscriptions")
    assert "The worker is away" in page
    assert rows(page) == []


def test_the_file_has_all_rows_of_the_query_and_runs_no_formula(site: Any, worker: Any) -> None:
    answer = site.client.get("/subscriptions.csv?reason=screen&size=50&sort=-place")
    assert answer.content_type == "text/csv; charset=utf-8"
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["key"] for row in found] == ["NSE_EQ:11536", "NSE_EQ:1333", "NSE_EQ:2031"]
    assert found[0]["reasons"] == "Swing screener; Watchlist =List one"
    assert (found[0]["state"], found[0]["last_packet_at"], found[0]["place"]) == ("never_ticked", "", "4")
    assert found[1]["packets_per_min"] == "1240"
    assert float(found[1]["age_s"]) >= 1.0
