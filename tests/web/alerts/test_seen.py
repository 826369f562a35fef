"""Notices of firings on every page: first paint, stream, poll, and the mark of what a reader has seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from ltp.db.alerts.tables import alert_firings
from ltp.web.alerts import seen
from ltp.web.live.notices import COOKIE
from tests.web.alerts.conftest import AT, HOSTILE, notice

OWN = {"Sec-Fetch-Site": "same-origin"}
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def mark(site: Any) -> str:
    cookie = site.client.get_cookie(COOKIE)
    return cookie.value if cookie else ""


def slots(page: str) -> dict[str, str]:
    return {
        name: body
        for name, body in re.findall(r'<div class="notice" id="notice-(\d)">(.*?)</div>', page)
        if body
    }


def test_a_notice_says_what_where_when_and_how() -> None:
    text = unescape(re.sub("<[^>]+>", " ", seen.draw(notice(41, note="sell half"))))
    assert " ".join(text.split()) == "HDFCBANK price above ₹1,650 traded at ₹1,650.50, 10:41:07 sell half"
    gap = unescape(seen.draw(notice(41, how="gap_at_open")))
    assert "₹1,650.50, gap at the open" in gap
    event = seen.draw(
        notice(41, key="", symbol="", how="event", ltp=None, rule="enters(swing)", detail="TCS")
    )
    assert "The market" in event
    assert "TCS" in event


@pytest.mark.parametrize("field", ["symbol", "note", "rule", "detail"])
def test_what_people_wrote_is_text(field: str) -> None:
    markup = seen.draw(notice(41, how="event", **{field: HOSTILE}))
    assert "<img" not in markup
    assert "onerror=alert(1)&gt;" in markup
    assert 'value="41"' in markup


def test_every_page_shows_what_its_reader_has_not_seen(site: Any) -> None:
    site.page("/")
    assert mark(site) == "0"
    site.hub.notify(notice(41))
    site.hub.notify(notice(42, note=HOSTILE))
    for path in ("/", "/screeners/swing", "/candles", "/alerts/new", "/status", "/instruments/NSE_EQ/1333"):
        page = site.page(path)
        assert slots(page).keys() == {"2", "0"}, path
        assert '<b class="fired" id="fired-0">2</b>' in page
        assert "<img src=x" not in page


def test_the_button_dismisses_what_is_in_sight(site: Any) -> None:
    site.page("/")
    for id_ in (41, 42):
        site.hub.notify(notice(id_))
    answer = site.client.post("/alerts/seen", data={"id": ["41"]}, headers=OWN | PARTIAL)
    assert (answer.status_code, mark(site), answer.headers["HX-Reswap"]) == (200, "41", "innerHTML")
    assert slots(answer.text).keys() == {"0"}, "42 came meanwhile"
    assert 'id="more-41">1<' in answer.text
    back = {"Referer": "http://localhost/screeners/swing?sort=-score"}
    plain = site.client.post("/alerts/seen", data={"id": ["42", "x"]}, headers=OWN | back)
    assert (plain.status_code, plain.location, mark(site)) == (303, "/screeners/swing?sort=-score", "42")
    assert slots(site.page("/")) == {}


@pytest.mark.parametrize(
    "referrer", ["http://evil.example/x", "http://localhost//evil.example", "", "javascript:x"]
)
def test_the_button_leads_nowhere_else(site: Any, referrer: str) -> None:
    assert site.client.post("/alerts/seen", headers=OWN | {"Referer": referrer}).location == "/alerts"


def test_the_page_of_alerts_is_a_look(site: Any, fire: Callable[..., int]) -> None:
    site.page("/")
    id_ = fire(1)
    site.hub.notify(notice(id_))
    site.page("/alerts")
    assert mark(site) == str(id_)
    assert slots(site.client.get("/alerts/notices").text) == {}


@pytest.mark.parametrize("value", ["", "x", "-1", "9" * 11, "1.5"])
def test_a_mark_that_is_none_is_no_mark(site: Any, value: str) -> None:
    site.hub.notify(notice(41))
    site.client.set_cookie(COOKIE, value)
    assert 'id="fired-41"></b>' in site.page("/")
    assert mark(site) == "41"


def test_the_mark_is_kept_from_scripts_and_other_sites(site: Any) -> None:
    cookie = site.client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Set-Cookie" not in site.client.get("/").headers
    assert "Set-Cookie" not in site.client.get("/api/v1/current_prices?keys=NSE_EQ:1333").headers


def test_a_poll_brings_them_too(site: Any) -> None:
    site.page("/")
    site.hub.notify(notice(41))
    body = site.client.get("/poll").text
    assert '<hx-partial id="notice-2">' in body
    assert '<hx-partial id="fired-0">1</hx-partial>' in body
    site.client.set_cookie(COOKIE, "41")
    assert "notice-2" not in site.client.get("/poll").text


@pytest.mark.parametrize("path", ["/stream", "/alerts/stream"])
def test_the_first_event_of_a_stream_brings_what_came_before_it(site: Any, path: str) -> None:
    site.page("/")
    site.hub.notify(notice(41))
    stream = site.client.get(path)
    event = next(iter(stream.response)).decode()
    stream.close()
    assert '<hx-partial id="notice-2">' in event
    site.client.set_cookie(COOKIE, "41")
    stream = site.client.get(path)
    assert 'id="notice-2"' not in next(iter(stream.response)).decode()
    stream.close()


def test_a_page_without_prices_has_a_stream_of_its_own_and_a_paused_one_has_none(site: Any) -> None:
    assert 'hx-sse:connect="/alerts/stream"' in site.page("/alerts/new")
    assert "hx-sse:connect" not in site.page("/?live=0")
    assert "hx-sse:connect" not in site.page("/nowhere", 404)
    assert site.client.get("/alerts/poll").status_code == 200


def test_stored_firings_are_read_oldest_first(site: Any, fire: Callable[..., int]) -> None:
    now = datetime.now(UTC)
    first = fire(1, noticed_at=now - timedelta(hours=1))
    second = fire(1, noticed_at=now, token="2", note=HOSTILE)
    found = seen.stored(site.engine)
    assert [(each.id, at) for each, at in found] == [
        (first, (now - timedelta(hours=1)).timestamp()), (second, now.timestamp()),
    ]  # fmt: skip
    assert found[1][0] == notice(second, alert=1, note=HOSTILE, at=AT)


def test_a_database_that_is_away_costs_no_prices(site: Any) -> None:
    with site.engine.begin() as connection:
        alert_firings.drop(connection)
    assert seen.stored(site.engine) == []
