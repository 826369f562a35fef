from __future__ import annotations

import json
from typing import Any

import pytest

from ltp.core.clients import allotment
from ltp.db.pins import pins

PATH = "/api/v1/subscriptions"


def test_the_document_has_the_table_with_the_query_of_the_page(site: Any, worker: Any) -> None:
    answer = site.client.get(f"{PATH}?state=ticking&sort=-place")
    assert answer.headers["Cache-Control"] == "no-store"
    found = answer.json
    assert found["capacity"] == {
        "used": 4, "limit": 4, "waiting": 1, "connections": 1, "account_connections": 5,
    }  # fmt: skip
    assert found["rule"] == allotment.RULE
    assert found["states"] == {"waiting": 1, "ticking": 2, "stale": 1, "never_ticked": 1}
    assert found["reasons"]["screen"] == 3
    assert (found["query"], found["matching"]) == ({"state": "ticking", "sort": "-place"}, 2)
    first = found["subscriptions"][0]
    assert (first["key"], first["place"], first["mode"]) == ("NSE_EQ:1333", 3, "quote")
    assert (first["viewers"], first["api_clients"], first["packets_per_min"]) == (1, 2, 1240)
    assert first["reasons"][1] == {"kind": "screen", "name": "swing", "title": ""}
    everything = site.client.get(PATH).json["subscriptions"]
    assert len(everything) == 5
    assert [everything[4][name] for name in ("place", "mode", "last_packet_at", "age_s")] == [None] * 4
    problem = site.client.get(f"{PATH}?state=odd")
    assert (problem.status_code, problem.json["errors"][0]["where"]) == (400, "state")


def test_programs_pin_and_unpin(site: Any, worker: Any) -> None:
    body = {"keys": ["NSE_EQ:1333", "IDX_I:13", "NSE_EQ:1333"], "mode": "full", "note": "for my robot"}
    answer = site.client.post(PATH, json=body)
    assert answer.status_code == 200
    assert [(pin["key"], pin["mode"]) for pin in answer.json["pins"]] == [
        ("NSE_EQ:1333", "full"),
        ("IDX_I:13", "full"),
    ]
    listed = site.client.get(f"{PATH}/pins").json
    assert (listed["limit"], len(listed["pins"]), listed["pins"][0]["note"]) == (500, 2, "for my robot")
    answer = site.client.delete(f"{PATH}?keys=NSE_EQ:1333,NSE_EQ:2031")
    assert (answer.status_code, answer.json["detail"]) == (
        404,
        "There is no pinned instrument called 'NSE_EQ:2031'.",
    )
    assert site.client.delete(f"{PATH}?keys=NSE_EQ:1333").json == {"unpinned": ["NSE_EQ:1333"]}
    assert [pin.key for pin in pins.fetch(site.engine)] == ["IDX_I:13"]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("rubbish", "body"),
        ("[]", "body"),
        ('{"keys": ["NSE_EQ:1333"], "colour": "red"}', "colour"),
        ("{}", "keys"),
        ('{"keys": []}', "keys"),
        ('{"keys": [7]}', "keys"),
        ('{"keys": ["HDFCBANK"]}', "keys"),
        ('{"keys": ["NSE_EQ:7"]}', "keys"),
        ('{"keys": ["NSE_EQ:1333"], "mode": "depth"}', "mode"),
        ('{"keys": ["NSE_EQ:1333"], "mode": 7}', "mode"),
        ('{"keys": ["NSE_EQ:1333"], "mode": "full", "mode": "quote"}', "body"),
        ('{"keys": ["NSE_EQ:1333"], "note": "\\u202e"}', "note"),
    ],
)
def test_a_wrong_body_is_named_and_changes_nothing(site: Any, worker: Any, content: str, where: str) -> None:
    answer = site.client.post(PATH, data=content, content_type="application/json")
    assert (answer.status_code, answer.json["errors"][0]["where"]) == (400, where)
    assert pins.fetch(site.engine) == []


def test_past_the_limit_none_is_pinned(site: Any, worker: Any) -> None:
    pins.pin(site.engine, [f"NSE_FNO:{number}" for number in range(1, 501)], "default", "")
    answer = site.client.post(PATH, json={"keys": ["NSE_EQ:1333"]})
    assert answer.status_code == 400
    assert "at most 500 instruments are pinned, and 500 are" in answer.json["detail"]


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}],
)
def test_a_page_of_another_site_cannot_pin(site: Any, worker: Any, headers: dict[str, str]) -> None:
    answer = site.client.post(PATH, json={"keys": ["NSE_EQ:1333"]}, headers=headers)
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert site.client.delete(f"{PATH}?keys=NSE_EQ:1333", headers=headers).status_code == 403
    assert pins.fetch(site.engine) == []


def test_a_form_in_place_of_json_is_refused(site: Any, worker: Any) -> None:
    text = json.dumps({"keys": ["NSE_EQ:1333"]})
    assert site.client.post(PATH, data=text, content_type="text/plain").status_code == 415
    own = {"Origin": "http://localhost"}
    assert site.client.post(PATH, json={"keys": ["NSE_EQ:1333"]}, headers=own).status_code == 200
