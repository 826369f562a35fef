"""The pages of alerts, as a browser without scripts uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import escape, unescape
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, update

from ltp.core.alerts.alert import EACH, ENDED, KEY, MARKET, MUTED, UNIVERSE, Target
from ltp.core.trading_day import IST
from ltp.db import universes
from ltp.db.alerts import rules, values
from ltp.db.alerts.tables import alert_channels, alert_decisions, alert_deliveries, alerts
from ltp.db.alerts.values import TermValue
from ltp.db.engine import writing
from ltp.errors import InputError
from ltp.web.alerts.changes import snoozed_until
from tests.web.alerts.conftest import AT, HOSTILE

OWN = {"Sec-Fetch-Site": "same-origin"}
NEW = {"kind": "price", "key": "hdfcbank", "price_sign": ">", "level": "1,700", "repeat": "once", "note": ""}


def post(site: Any, path: str, status: int = 303, **data: Any) -> Any:
    answer = site.client.post(path, data=data, headers=OWN)
    assert answer.status_code == status, answer.text
    return answer


def stored(site: Any) -> list[Any]:
    return list(reversed(rules.listed(site.engine).alerts))


def test_an_alert_is_made_by_the_form(site: Any) -> None:
    assert post(site, "/alerts", **NEW).location == "/alerts/1"
    [made] = stored(site)
    assert (made.terms.target, made.terms.rule) == (Target(KEY, "NSE_EQ:1333"), "ltp > 1700")
    page = unescape(site.page("/alerts/1"))
    assert "price above ₹1,700" in page
    assert "₹1,700 is 3.01% above the last price, ₹1,650.35." in page


def test_the_form_is_filled_by_its_address_and_says_the_distance(site: Any) -> None:
    page = unescape(site.page("/alerts/new?key=NSE_EQ:1333&level=1700"))
    assert '<input id="key" name="key" value="NSE_EQ:1333"' in page
    assert "₹1,700 is 3.01% above the last price" in page
    assert "is met already" in unescape(site.page("/alerts/new?key=HDFCBANK&level=1600"))
    assert "holds this level already" in unescape(site.page("/alerts/new?key=HDFCBANK&level=1655"))
    assert "The packets of an index" in unescape(site.page("/alerts/new?key=IDX_I:13&level=26000"))


def test_an_empty_form_complains_only_when_it_is_checked(site: Any) -> None:
    assert 'id="form-error"' not in site.page("/alerts/new?key=HDFCBANK")
    assert "level: &#39;&#39; is not accepted" in site.page("/alerts/new?key=HDFCBANK&check=1")


def test_the_distance_comes_while_typing(site: Any) -> None:
    page = unescape(site.page("/alerts/check?key=HDFCBANK&kind=rule&rule=ltp+<+1600"))
    assert "<b>Price below ₹1,600</b>" in page
    assert "₹1,600 is 3.05% below" in page
    assert "<html" not in page
    assert "rule, character 5" in site.page("/alerts/check?key=HDFCBANK&kind=rule&rule=ltp+!>+5")


@pytest.mark.parametrize(
    ("changed", "words", "field"),
    [
        ({"level": "x"}, "level: 'x' is not accepted", "level"),
        ({"key": "NOBODY"}, "the instrument master has no such symbol or key", "key"),
        ({"kind": "rule", "rule": "ltp >> 5"}, "rule, character 6", "rule"),
        ({"expires": "2020-01-01"}, "or a later day", "expires"),
        ({"watch": "universe nobody"}, "there is no such list or index", "watch"),
    ],
)
def test_a_refusal_keeps_what_was_typed_and_stores_nothing(
    site: Any, changed: dict[str, str], words: str, field: str
) -> None:
    answer = post(site, "/alerts", 400, **(NEW | changed | {"note": HOSTILE}))
    page = unescape(answer.text)
    assert words in page
    assert f'value="{escape(HOSTILE)}"' in answer.text.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', answer.text)
    assert answer.headers["HX-Push-Url"] == "/alerts/new"
    assert stored(site) == []


def test_the_place_of_a_wrong_character_is_shown(site: Any) -> None:
    assert (
        "<pre>ltp &gt;&gt; 5\n     ^</pre>"
        in post(site, "/alerts", 400, **NEW | {"kind": "rule", "rule": "ltp >> 5"}).text
    )


def test_an_edit_on_top_of_another_one_is_told_and_shows_both(site: Any, make: Callable[..., int]) -> None:
    id_ = make(note="first")
    page = site.page(f"/alerts/{id_}/edit")
    assert 'name="version" value="1"' in page
    assert 'name="level" value="1700"' in page
    post(site, f"/alerts/{id_}/edit", **NEW | {"version": "1", "level": "1800"})
    answer = post(site, f"/alerts/{id_}/edit", 409, **NEW | {"version": "1", "level": "1900"})
    assert "Somebody changed this alert meanwhile: HDFCBANK, ltp &gt; 1800, once" in answer.text
    assert 'value="1900"' in answer.text
    assert 'name="version" value="2"' in answer.text
    assert stored(site)[0].terms.rule == "ltp > 1800"
    post(site, f"/alerts/{id_}/edit", **NEW | {"version": "2", "level": "1900"})
    assert stored(site)[0].terms.rule == "ltp > 1900"


def test_a_copy_is_a_new_alert_with_the_same_terms(site: Any, make: Callable[..., int]) -> None:
    id_ = make("ltp > high52", note="breakout", repeat=EACH, cool_down_s=900)
    page = site.page(f"/alerts/new?copy={id_}")
    assert 'name="rule" value="ltp &gt; high52"' in page
    assert 'value="breakout"' in page
    assert 'name="cool_down" value="15"' in page
    assert 'name="version"' not in page
    site.page("/alerts/new?copy=99", 404)


def test_the_list_says_everything_of_an_alert(
    site: Any, make: Callable[..., int], fire: Callable[..., int]
) -> None:
    universes.replace(site.engine, "nifty50", "NIFTY 50", "test", ["NSE_EQ:1333"])
    site.catalog.refresh()
    make("ltp > 1700", note=HOSTILE, expires=date(2099, 12, 31))
    make("change_pct < -3", target=Target(UNIVERSE, "nifty50"), repeat=EACH, cool_down_s=900)
    make("enters(swing)", target=Target(MARKET, ""))
    make("this is of another version")
    fire(1)
    page = unescape(site.page("/alerts"))
    assert escape(HOSTILE) in site.page("/alerts").replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert "<img" not in site.page("/alerts")
    for words in ("price above ₹1,700", "+3.01%", "31 Dec 2099", "each of NIFTY 50", "change below -3%",
                  "each time, at most every 15 min", "the market", "enters the screen swing", "traded at ₹1,650.50",
                  "1 Dec 2026, 10:41:07 IST", "this is of another version"):  # fmt: skip
        assert words in page, words


def test_alerts_are_filtered_by_state_and_words(site: Any, make: Callable[..., int]) -> None:
    make(note="breakout")
    rules.mute(site.engine, make("ltp < 1500", target=Target(KEY, "NSE_EQ:11536")), muted=True)
    assert re.findall(r'id="alert-(\d)"', site.page("/alerts?state=muted")) == ["2"]
    assert re.findall(r'id="alert-(\d)"', site.page("/alerts?q=tcs")) == ["2"]
    assert re.findall(r'id="alert-(\d)"', site.page("/alerts?q=BREAK")) == ["1"]
    assert "No alert matches" in site.page("/alerts?q=nothing")
    site.page("/alerts?state=asleep", 400)


def test_firings_are_read_page_by_page(site: Any, fire: Callable[..., int]) -> None:
    for number in range(60):
        fire(7, token=str(number))
    first = site.page("/alerts")
    assert len(re.findall(r'<tr id="f-', first)) == 50
    older = re.search(r'id="f-older" rel="next" href="([^"#]+)', first)
    assert older
    assert re.findall(r'<tr id="f-(\d+)"', site.page(unescape(older[1]))) == [
        str(id_) for id_ in range(10, 0, -1)
    ]


def test_a_deleted_alert_keeps_its_history(
    site: Any, make: Callable[..., int], fire: Callable[..., int]
) -> None:
    id_ = make()
    fire(id_)
    assert post(site, f"/alerts/{id_}/delete", version="1").location == "/alerts"
    assert stored(site) == []
    assert "It was deleted; what it fired stays." in site.page(f"/alerts/{id_}")
    site.page("/alerts/99", 404)


def test_a_page_of_an_older_version_deletes_nothing(site: Any, make: Callable[..., int]) -> None:
    id_ = make()
    rules.snooze(site.engine, id_, AT)
    assert "was changed meanwhile" in post(site, f"/alerts/{id_}/delete", 409, version="1").text
    assert len(stored(site)) == 1


def test_mute_and_snooze(site: Any, make: Callable[..., int]) -> None:
    id_ = make()
    assert post(site, f"/alerts/{id_}/mute").location == f"/alerts/{id_}"
    assert stored(site)[0].state == MUTED
    assert ">muted<" in site.page(f"/alerts/{id_}")
    post(site, f"/alerts/{id_}/unmute")
    post(site, f"/alerts/{id_}/snooze", **{"for": "hour"})
    left = stored(site)[0].snoozed_until - datetime.now(UTC)
    assert timedelta(minutes=58) < left < timedelta(minutes=61)
    assert "snoozed until" in site.page(f"/alerts/{id_}")
    post(site, f"/alerts/{id_}/snooze", 400, **{"for": "until", "until": "2020-01-01"})
    site.client.get(f"/alerts/{id_}/mute").location.endswith(f"/alerts/{id_}")


def test_a_button_of_the_list_leads_back_to_its_filters(site: Any, make: Callable[..., int]) -> None:
    make()
    for referrer, location in (
        ("http://localhost/alerts?state=on&q=hdfc", "/alerts?state=on&q=hdfc"),
        ("http://evil.example/alerts?state=on", "/alerts/1"),
        ("http://localhost/alerts/1", "/alerts/1"),
    ):
        answer = site.client.post("/alerts/1/mute", headers=OWN | {"Referer": referrer})
        assert answer.location == location


NOW = datetime(2026, 12, 1, 10, 41, tzinfo=IST)


@pytest.mark.parametrize(
    ("given", "until"),
    [
        ({"for": "hour"}, "2026-12-01T11:41:00+05:30"),
        ({"for": "day"}, "2026-12-02T00:00:00+05:30"),
        ({"for": "until", "until": "2026-12-04"}, "2026-12-05T00:00:00+05:30"),
        ({"for": "until", "until": "2026-12-01"}, "2026-12-02T00:00:00+05:30"),
    ],
)
def test_the_end_of_a_snooze(given: dict[str, str], until: str) -> None:
    assert snoozed_until(given, NOW).isoformat() == until


@pytest.mark.parametrize("day", ["2026-11-30", "2028-01-01", "soon", ""])
def test_an_end_that_is_none(day: str) -> None:
    with pytest.raises(InputError, match="until"):
        snoozed_until({"for": "until", "until": day}, NOW)


def test_why_it_fired_or_did_not(site: Any, make: Callable[..., int]) -> None:
    id_, now = make(), datetime.now(UTC)
    with writing(site.engine) as connection:
        for outcome, days in (("not met", 0), ("cool-down", 1), ("fired", 9)):
            at = now - timedelta(days=days)
            row = {"alert_id": id_, "segment": "NSE_EQ", "security_id": 1333, "at": at, "until": at}
            row |= {"outcome": outcome, "value": 1699.5, "bound": 1700, "detail": HOSTILE}
            connection.execute(insert(alert_decisions).values(row))
    page = site.page(f"/alerts/{id_}/why")
    assert "not met" in page
    assert "cool-down, or it had fired for this time" in page
    assert "<td>1,699.5</td><td>1,700</td>" in page
    assert page.count('<tr><th scope="row">HDFCBANK') == 2, "nine days ago is not kept"
    assert "<img" not in page
    assert "older ones are not kept" in page


def test_the_outcome_of_each_delivery(site: Any, fire: Callable[..., int]) -> None:
    id_ = fire(1, how="while_disconnected", since=AT, until=AT + timedelta(minutes=2), symbol=HOSTILE)
    channel = {"name": HOSTILE, "kind": "webhook", "target": "https://secret.example/token", "is_on": True}
    with writing(site.engine) as connection:
        connection.execute(
            insert(alert_channels).values(channel | {"per_minute": 9, "created_at": AT, "changed_at": AT})
        )
        row = {
            "firing_id": id_,
            "channel_id": 1,
            "state": "failed",
            "attempts": 3,
            "next_at": AT,
            "status": 500,
        }
        connection.execute(insert(alert_deliveries).values(row | {"outcome": "the server failed"}))
    page = site.page("/alerts")
    assert "while disconnected, between 10:41 and 10:43" in page
    assert "failed after 3 attempts, status 500, the server failed" in page
    assert "<img" not in page
    assert "secret.example" not in page


def test_an_alert_that_ended_says_why(site: Any, make: Callable[..., int]) -> None:
    id_ = make()
    with writing(site.engine) as connection:
        connection.execute(update(alerts).values(state=ENDED, reason="it fired"))
    assert "ended: it fired" in site.page(f"/alerts/{id_}")
    assert 'id="mute"' not in site.page(f"/alerts/{id_}")


def test_the_quota_is_said_on_the_form(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_ALERTS", 0)
    answer = post(site, "/alerts", 503, **NEW)
    assert "The limit of 0 alerts is reached" in answer.text
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    "path", ["/alerts", "/alerts/1/mute", "/alerts/1/delete", "/alerts/1/edit", "/alerts/seen"]
)
def test_another_site_changes_nothing(site: Any, make: Callable[..., int], path: str) -> None:
    make()
    assert site.client.post(path, data=NEW, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert [each.version for each in stored(site)] == [1]


def test_rows_and_instruments_lead_to_the_form(site: Any) -> None:
    assert 'href="/alerts/new?key=NSE_EQ:1333' in site.page("/instruments/NSE_EQ/1333")
    page = site.page("/screeners/swing/NSE_EQ/1333")
    assert 'href="/alerts/new?key=NSE_EQ:1333&amp;kind=plan&amp;plan_screen=swing"' in page
    form = unescape(site.page("/alerts/new?key=NSE_EQ:1333&kind=plan&plan_screen=swing"))
    assert "₹1,590 is 3.66% below the last price, ₹1,650.35." in form
    assert 'href="/alerts/new?watch=screen+swing"' in site.page("/screeners/swing")
    assert '<option value="screen swing" selected>' in site.page("/alerts/new?watch=screen+swing")


def test_computed_terms_of_a_page_are_read_at_once(site: Any, make: Callable[..., int]) -> None:
    values.replace(site.engine, {("NSE_EQ:1333", "sma50"): TermValue(1800.0, date(2026, 11, 30))}, AT)
    for _ in range(3):
        make("ltp > sma50")
    reads: list[str] = []

    def note(*given: Any) -> None:
        reads.append(given[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert site.page("/alerts").count("+9.07%") == 3
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert sum("FROM alert_values" in each for each in reads) == 1
