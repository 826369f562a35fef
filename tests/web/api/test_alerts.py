"""`/api/v1/alerts`: what a program sends is kept, refused with the value that is wrong, or refused to other sites."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from ltp.db import universes
from ltp.db.alerts import rules
from ltp.db.alerts.tables import alert_channels, alert_deliveries, alert_firings
from ltp.db.engine import writing

PATH = "/api/v1/alerts"
PLAIN = {"key": "NSE_EQ:1333", "rule": "ltp > 1650", "repeat": "once"}
AT = datetime(2026, 12, 1, 5, 11, 7, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>"


def call(site: Any, method: str, path: str = PATH, status: int = 200, **more: Any) -> Any:
    answer = site.client.open(path, method=method, **more)
    assert answer.status_code == status, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.get_json() if answer.data else answer


def make(site: Any, **changed: Any) -> Any:
    return call(site, "POST", status=201, json=PLAIN | changed)


def test_an_alert_is_made_read_and_listed(site: Any) -> None:
    answer = site.client.post(
        PATH, json=PLAIN | {"rule": "LTP>1650", "note": HOSTILE, "expires": "2099-12-31"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{PATH}/1")
    made = answer.get_json()
    assert (made["id"], made["version"], made["state"], made["rule"]) == (1, 1, "on", "ltp > 1650")
    assert (made["key"], made["target"]) == ("NSE_EQ:1333", {"kind": "key", "name": "NSE_EQ:1333"})
    assert (made["note"], made["expires"], made["repeat"]) == (HOSTILE, "2099-12-31", "once")
    assert made["created_at"].endswith("+05:30")
    assert call(site, "GET", f"{PATH}/1") == made
    assert call(site, "GET") == {"alerts": [made], "total": 1, "next": None}


def test_lists_screens_and_events_are_targets(site: Any) -> None:
    universes.replace(site.engine, "nifty50", "NIFTY 50", "test", ["NSE_EQ:1333"])
    site.catalog.refresh()
    for target, rule in (
        ({"kind": "universe", "name": "nifty50"}, "change_pct < -3"),
        ({"kind": "screen", "name": "swing"}, "ltp < plan(swing, stop)"),
        ({"kind": "market"}, "enters(swing)"),
    ):
        made = call(site, "POST", status=201, json={"target": target, "rule": rule})
        assert (made["key"], made["target"]) == (None, {"name": ""} | target)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"rule": "ltp > 5"}, "key"),
        ({"key": "NSE_EQ:1333"}, "rule"),
        (PLAIN | {"key": "HDFC"}, "key"),
        (PLAIN | {"key": "NSE_EQ:9"}, "key"),
        (PLAIN | {"key": 1333}, "key"),
        (PLAIN | {"rule": "ltp >> 5"}, "rule, character 6"),
        (PLAIN | {"rule": None}, "rule"),
        (PLAIN | {"repeat": "often"}, "repeat"),
        (PLAIN | {"note": "x" * 501}, "note"),
        (PLAIN | {"note": "\u202eevil"}, "note"),
        (PLAIN | {"expires": "soon"}, "expires"),
        (PLAIN | {"expires": 5}, "expires"),
        (PLAIN | {"expires": 0}, "expires"),
        (PLAIN | {"expires": False}, "expires"),
        (PLAIN | {"expires": []}, "expires"),
        (PLAIN | {"cool_down": "5"}, "cool_down"),
        (PLAIN | {"cool_down": True}, "cool_down"),
        (PLAIN | {"hysteresis": 11}, "hysteresis"),
        (PLAIN | {"phases": "continuous"}, "phases"),
        (PLAIN | {"phases": ["lunch"]}, "phases"),
        (PLAIN | {"channels": ["1"]}, "channels"),
        (PLAIN | {"channels": [1]}, "channels"),
        (PLAIN | {"price": 5}, "price"),
        (PLAIN | {"target": {"kind": "universe", "name": "nifty50"}}, "target"),
        ({"target": "nifty50", "rule": "ltp > 5"}, "target"),
        ({"target": {"kind": "universe", "name": "nobody"}, "rule": "ltp > 5"}, "universe"),
        ([], "body"),
    ],
)
def test_a_refusal_names_the_value(site: Any, body: Any, where: str) -> None:
    answer = site.client.post(PATH, json=body)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["errors"][0]["where"] == where
    assert call(site, "GET")["total"] == 0


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"{", "application/json", 400), (b"\xff", "application/json", 400),
     (b'{"key": "NSE_EQ:1333", "rule": "ltp > 1", "rule": "ltp > 2"}', "application/json", 400), (b"{}", "text/plain", 415),
     (b"key=x", "application/x-www-form-urlencoded", 415), (b" " * 70_000, "application/json", 413)],
)  # fmt: skip
def test_a_body_that_is_no_json(site: Any, content: bytes, kind: str, status: int) -> None:
    assert site.client.post(PATH, data=content, content_type=kind).status_code == status


def test_terms_and_state_are_changed(site: Any) -> None:
    make(site, note="first")
    changed = call(site, "PATCH", f"{PATH}/1", json={"rule": "ltp > 1700", "repeat": "each", "cool_down": 15})
    assert (changed["version"], changed["rule"], changed["cool_down"], changed["note"]) == (
        2,
        "ltp > 1700",
        15,
        "first",
    )
    muted = call(site, "PATCH", f"{PATH}/1", json={"state": "muted"})
    assert (muted["state"], muted["version"]) == ("muted", 3)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    snoozed = call(site, "PATCH", f"{PATH}/1", json={"state": "on", "snoozed_until": until})
    assert (snoozed["state"], datetime.fromisoformat(snoozed["snoozed_until"])) == (
        "on",
        datetime.fromisoformat(until),
    )
    assert call(site, "PATCH", f"{PATH}/1", json={"snoozed_until": None})["snoozed_until"] is None
    assert call(site, "PATCH", f"{PATH}/1", json={}) == call(site, "GET", f"{PATH}/1")


@pytest.mark.parametrize(
    ("body", "where"),
    [({"state": "ended"}, "state"), ({"snoozed_until": "soon"}, "snoozed_until"), ({"version": "1"}, "version"),
     ({"snoozed_until": "2026-12-01T10:00:00"}, "snoozed_until"), ({"id": 5}, "id"), ({"rule": "feed_trouble()"}, "target"),
     ({"snoozed_until": "9999-12-31T23:59:59+00:00"}, "snoozed_until")],
)  # fmt: skip
def test_a_change_that_is_refused_changes_nothing(site: Any, body: Any, where: str) -> None:
    made = make(site)
    answer = site.client.patch(f"{PATH}/1", json=body | {"state": body.get("state", "muted")})
    assert (answer.status_code, answer.get_json()["errors"][0]["where"]) == (400, where)
    assert call(site, "GET", f"{PATH}/1") == made


def test_a_change_of_another_version_is_a_409(site: Any) -> None:
    make(site)
    call(site, "PATCH", f"{PATH}/1", json={"note": "second", "version": 1})
    for body in ({"note": "third", "version": 1}, {"state": "muted", "version": 1}):
        problem = call(site, "PATCH", f"{PATH}/1", 409, json=body)
        assert "it has version 2, not 1" in problem["detail"]
    assert call(site, "GET", f"{PATH}/1")["version"] == 2


def test_a_deleted_alert_is_gone_and_its_history_stays(site: Any) -> None:
    make(site)
    row = {
        "alert_id": 1,
        "version": 1,
        "token": "1",
        "segment": "NSE_EQ",
        "security_id": 1333,
        "symbol": "HDFCBANK",
    }
    row |= {"rule": "ltp > 1650", "note": "", "at": AT, "noticed_at": AT, "ltp": 16_505_000, "how": "trade"}
    channel = {
        "name": "phone",
        "kind": "webhook",
        "target": "https://secret.example",
        "is_on": True,
        "per_minute": 9,
    }
    with writing(site.engine) as connection:
        connection.execute(insert(alert_firings).values(row | {"detail": "", "fence": 1}))
        connection.execute(insert(alert_channels).values(channel | {"created_at": AT, "changed_at": AT}))
        sent = {"firing_id": 1, "channel_id": 1, "state": "sent", "attempts": 1, "next_at": AT, "status": 204}
        connection.execute(insert(alert_deliveries).values(sent | {"outcome": "accepted", "ended_at": AT}))
    assert call(site, "DELETE", f"{PATH}/1", 204).data == b""
    call(site, "GET", f"{PATH}/1", 404)
    call(site, "DELETE", f"{PATH}/1", 404)
    found = call(site, "GET", f"{PATH}/1/history")
    [fired] = found["firings"]
    assert (fired["at"], fired["ltp"], fired["how"]) == ("2026-12-01T10:41:07+05:30", 1650.5, "trade")
    assert fired["deliveries"] == [
        {"channel": "phone", "state": "sent", "attempts": 1, "status": 204, "outcome": "accepted",
         "ended_at": "2026-12-01T10:41:07+05:30", "digest": False}
    ]  # fmt: skip
    assert "secret" not in str(found)
    call(site, "GET", f"{PATH}/2/history", 404)


def test_an_alert_that_never_fired_has_an_empty_history(site: Any) -> None:
    make(site)
    assert call(site, "GET", f"{PATH}/1/history") == {"firings": [], "next": None}


def test_a_list_is_read_in_parts_and_filtered(site: Any) -> None:
    for number in range(3):
        make(site, note=f"n{number}")
    call(site, "PATCH", f"{PATH}/2", json={"state": "muted"})
    page = call(site, "GET", f"{PATH}?limit=2")
    assert ([each["id"] for each in page["alerts"]], page["total"], page["next"]) == ([3, 2], 3, 2)
    assert [each["id"] for each in call(site, "GET", f"{PATH}?limit=2&offset=2")["alerts"]] == [1]
    assert [each["id"] for each in call(site, "GET", f"{PATH}?state=muted")["alerts"]] == [2]
    assert [each["id"] for each in call(site, "GET", f"{PATH}?q=n0&key=hdfcbank")["alerts"]] == [1]
    call(site, "GET", f"{PATH}?state=asleep", 400)
    call(site, "GET", f"{PATH}?limit=1001", 400)


def test_the_limit_is_a_503_with_the_time_to_wait(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "QUOTA", 1)
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    assert site.client.post(PATH, json=PLAIN, headers=proxied).status_code == 201
    answer = site.client.post(PATH, json=PLAIN, headers=proxied)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "1 alerts of yours" in answer.get_json()["detail"]
    assert site.client.post(PATH, json=PLAIN).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Sec-Fetch-Site": "cross-site"},
     {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": "http://localhost:81"}],
)  # fmt: skip
def test_another_site_changes_nothing(site: Any, headers: dict[str, str]) -> None:
    made = make(site)
    for method, path in (("POST", PATH), ("PATCH", f"{PATH}/1"), ("DELETE", f"{PATH}/1")):
        answer = site.client.open(path, method=method, json=PLAIN, headers=headers)
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert call(site, "GET") == {"alerts": [made], "total": 1, "next": None}


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_program_and_this_site_may_write(site: Any, headers: dict[str, str]) -> None:
    assert site.client.post(PATH, json=PLAIN, headers=headers).status_code == 201
    assert site.client.delete(f"{PATH}/1", headers=headers).status_code == 204


def test_a_long_name_of_a_field_is_shortened_in_the_refusal(site: Any) -> None:
    answer = site.client.post(PATH, json={"x" * 5_000: 1})
    assert answer.get_json()["errors"][0]["where"] == "x" * 77 + "..."
