from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from unittest.mock import Mock

import feedparser
import pytest

from ltp.core.screener import Row
from ltp.db import runs
from ltp.web.screens import changes_feed

FEED = "/screeners/longterm/changes.atom"
HDFC = Row("NSE_EQ:1333", 1, "HDFCBANK", "HDFC Bank", setup="READY")
EVIL = Row("NSE_EQ:2031", 2, "M&M", '<img src=x onerror="alert(1)">', setup="READY")
TCS = Row("NSE_EQ:11536", 3, "TCS", "Tata", setup="READY")


def run(site: Any, day: int, *rows: Row, **known: Any) -> int:
    found: int = site.run("longterm", rows, as_of=date(2026, 11, day), **known)
    return found


def read(site: Any, url: str = FEED) -> Any:
    answer = site.client.get(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(answer.data)
    assert not found.bozo
    return found


@pytest.fixture
def two_sessions(site: Any) -> tuple[int, int]:
    return run(site, 26, HDFC, TCS), run(site, 27, HDFC, EVIL)


def test_an_entry_names_and_links_the_shares_that_entered_and_left(
    site: Any, two_sessions: tuple[int, int]
) -> None:
    before, now = two_sessions
    found = read(site)
    entry = found.entries[0]
    assert entry.title == "Long-term screener, 27 Nov 2026: 1 entered, 1 left"
    assert entry.link == f"http://localhost/screeners/longterm/changes?run={now}&with={before}"
    assert site.client.get(entry.link.removeprefix("http://localhost")).status_code == 200
    html = entry.content[0].value
    assert f'<a href="http://localhost/screeners/longterm/NSE_EQ/2031?run={now}">M&amp;M</a>' in html
    assert f'<a href="http://localhost/screeners/longterm/NSE_EQ/11536?run={before}">TCS</a>' in html
    assert "HDFCBANK" not in html
    assert found.feed.title == "Long-term screener: changes"
    assert found.feed.author == "LTP"
    assert b"&amp;lt;img src=x" in site.client.get(FEED).data, (
        "the name is text for the reader of the content"
    )


def test_entries_are_the_newest_first_and_one_for_each_session(
    site: Any, two_sessions: tuple[int, int]
) -> None:
    first = {entry.title: entry.id for entry in read(site).entries}
    run(site, 30, TCS)
    run(site, 30, TCS, EVIL)  # the same session again
    found = read(site).entries
    titles = [entry.title for entry in found]
    assert titles[:2] == [
        "Long-term screener, 30 Nov 2026: 1 entered, 1 left",
        "Long-term screener, 27 Nov 2026: 1 entered, 1 left",
    ]
    again = {entry.title: entry.id for entry in found}
    assert again[titles[1]] == first[titles[1]]
    assert len(set(again.values())) == len(found)
    run(site, 30, TCS)
    changed = read(site).entries
    assert changed[0].title == "Long-term screener, 30 Nov 2026: 1 entered, 2 left"
    assert changed[0].id == again[titles[0]], "the entry of the session is updated"
    assert changed[0].updated >= found[0].updated


def test_a_session_without_changes_has_no_entry(site: Any, two_sessions: tuple[int, int]) -> None:
    run(site, 30, HDFC, EVIL)
    assert read(site).entries[0].title.startswith("Long-term screener, 27 Nov 2026")


def test_a_share_that_is_not_ready_is_not_in_the_list(site: Any, two_sessions: tuple[int, int]) -> None:
    run(site, 30, HDFC, EVIL._replace(setup="NOT_READY"))
    assert read(site).entries[0].title == "Long-term screener, 30 Nov 2026: 0 entered, 1 left"


def test_an_unchanged_feed_is_a_304(site: Any, two_sessions: tuple[int, int]) -> None:
    answer = site.client.get(FEED)
    assert answer.headers["Cache-Control"] == "no-cache"
    for headers in (
        {"If-None-Match": answer.headers["ETag"]},
        {"If-Modified-Since": answer.headers["Last-Modified"]},
    ):
        again = site.client.get(FEED, headers=headers)
        assert (again.status_code, again.data) == (304, b"")
    run(site, 30, TCS)
    assert site.client.get(FEED, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_ids_do_not_depend_on_the_host(site: Any, two_sessions: tuple[int, int]) -> None:
    here = feedparser.parse(site.client.get(FEED).data)
    there = feedparser.parse(site.client.get(FEED, base_url="http://127.0.0.1:8000").data)
    assert [entry.id for entry in here.entries] == [entry.id for entry in there.entries]
    assert there.entries[0].link.startswith("http://127.0.0.1:8000/screeners/longterm/changes?")


def test_a_screen_without_runs_has_an_empty_feed_and_an_unknown_one_none(site: Any) -> None:
    assert read(site, "/screeners/longterm/changes.atom").entries == []
    assert site.client.get("/screeners/nothing/changes.atom").status_code == 404


def test_the_number_of_entries_and_of_names_is_bounded(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_feed, "MAX_ENTRIES", 2)
    monkeypatch.setattr(changes_feed, "MAX_NAMED", 1)
    for day in (23, 24, 25, 26):
        run(site, day, *((HDFC, EVIL, TCS) if day % 2 else ()))
    found = read(site)
    assert len(found.entries) == 2
    assert "And 2 more." in found.entries[0].content[0].value


def test_reading_ends_in_time_and_goes_on_with_the_next_request(
    site: Any, two_sessions: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_feed, "MAX_READING_S", -1.0)
    assert read(site).entries == []
    monkeypatch.setattr(changes_feed, "MAX_READING_S", 60.0)
    count = len(read(site).entries)
    monkeypatch.setattr(changes_feed, "MAX_READING_S", -1.0)
    assert len(read(site).entries) == count > 0


def test_pages_of_a_screen_name_its_feed(site: Any, two_sessions: tuple[int, int]) -> None:
    link = f'<link rel="alternate" type="application/atom+xml" title="Changes of the list" href="{FEED}">'
    for path in ("", "/changes", "/runs"):
        assert link in site.page(f"/screeners/longterm{path}")
    assert f'<a id="a-feed" href="{FEED}"' in site.page("/screeners/longterm/changes")


def test_a_run_that_is_gone_gives_no_changes() -> None:
    def listing(run_id: int) -> Sequence[Any] | None:
        return None if run_id == 1 else []

    head, previous = Mock(id=2, kind="longterm"), Mock(id=1, kind="longterm")
    assert changes_feed.list_changes(head, previous, listing) is None


def test_the_rows_of_a_run_are_read_in_parts(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_LISTED", 2)
    run_id, pauses = run(site, 27, HDFC, EVIL, TCS), list[int]()
    found = runs.fetch_listed(site.engine, run_id, pause=lambda: pauses.append(1))
    assert found == [
        runs.Listed(*each)
        for each in [(row.key, row.rank, row.symbol, row.name, row.setup) for row in (HDFC, EVIL, TCS)]
    ]
    assert len(pauses) == 1
    assert runs.fetch_listed(site.engine, run(site, 28)) == []
    assert runs.fetch_listed(site.engine, 9_999) is None
