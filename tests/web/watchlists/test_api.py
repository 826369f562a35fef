"""`/api/v1/watchlists`."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.watchlists import edits
from ltp.db.watchlists import lists, store
from tests.web.watchlists.conftest import HDFC, NIFTY, TCS

API = "/api/v1/watchlists"


def test_lists_are_listed_and_shown(banks: Any) -> None:
    answer = banks.client.get(API)
    assert answer.headers["Cache-Control"] == "no-store"
    [found] = answer.json["watchlists"]
    assert answer.json["limit"] == 100
    assert {**found, "changed_at": ""} == {
        "slug": "banks", "title": "Banks", "version": 1, "count": 3, "changed_at": "",
    }  # fmt: skip
    document = banks.client.get(f"{API}/banks").json
    assert document["lines"] == [
        {"key": TCS, "symbol": "TCS", "name": "Tata Consultancy Services", "note": "", "flag": ""},
        {"section": "Rest & <i>more"},
        {
            "key": HDFC,
            "symbol": "HDFCBANK",
            "name": "HDFC Bank Limited",
            "note": "=1+1 <img onerror=x>",
            "flag": "red",
        },
        {"key": NIFTY, "symbol": "NIFTY", "name": "Nifty 50", "note": "", "flag": ""},
    ]
    assert (document["version"], document["count"], document["limit"]) == (1, 3, 1_000)
    assert banks.client.get(f"{API}/nothing").status_code == 404


def test_a_list_is_made_replaced_and_deleted(site: Any) -> None:
    lines = ["HDFCBANK", {"section": "IT"}, {"key": "INE467B01029", "note": " a  b", "flag": "Blue"}]
    answer = site.client.post(API, json={"title": "My few", "lines": lines})
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{API}/my-few")
    assert [line.get("key") for line in answer.json["lines"]] == [HDFC, None, TCS]
    assert answer.json["lines"][2]["note"] == "a b"
    document = site.client.get(f"{API}/my-few").json
    assert document == answer.json
    # What was read is written back, changed.
    changed = {"version": 1, "title": "Few", "lines": document["lines"][:1]}
    answer = site.client.put(f"{API}/my-few", json=changed)
    assert (answer.status_code, answer.json["version"], answer.json["title"]) == (200, 2, "Few")
    answer = site.client.put(f"{API}/my-few", json=changed)
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"] == "The list has version 2 and not 1."
    assert site.client.put(f"{API}/my-few", json={"lines": []}).json["count"] == 0
    assert site.client.delete(f"{API}/my-few").status_code == 204
    assert site.client.delete(f"{API}/my-few").status_code == 404
    assert [head.slug for head in lists.fetch_deleted(site.engine)] == ["my-few"]
    assert site.client.put(f"{API}/new-one", json={"lines": ["TCS"]}).status_code == 201
    assert store.fetch(site.engine, "new-one").title == "New one"
    assert site.client.put(f"{API}/other", json={"lines": [], "version": 3}).status_code == 404


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"title": ""}, "title"),
        ({"title": 5}, "title"),
        ({"title": "A", "slug": "Not this"}, "slug"),
        ({"title": "A", "slug": "banks"}, "slug"),
        ({"title": "A", "rows": []}, "rows"),
        ([], "body"),
        ({"title": "A", "lines": "TCS"}, "lines"),
        ({"title": "A", "lines": ["TCS", "NOPE"]}, "lines[1]"),
        ({"title": "A", "lines": ["TCS", "NSE_EQ:11536"]}, "lines[1]"),
        ({"title": "A", "lines": [{"note": "x"}]}, "lines[0]"),
        ({"title": "A", "lines": ["TCS", "\ud800"]}, "lines[1]"),
        ({"title": "A", "lines": ["TCS", "\x00"]}, "lines[1]"),
        ({"title": "A", "lines": [{"key": "TCS", "section": "x"}]}, "lines[0]"),
        ({"title": "A", "lines": [{"key": 5}]}, "lines[0]"),
        ({"title": "A", "lines": [{"key": "TCS", "flag": "pink"}]}, "lines[0].flag"),
        ({"title": "A", "lines": [{"key": "TCS", "note": "x" * 201}]}, "lines[0].note"),
        ({"title": "A", "lines": [{"section": " "}]}, "lines[0].section"),
    ],
)
def test_a_body_that_is_refused_changes_nothing(banks: Any, body: Any, where: str) -> None:
    answer = banks.client.post(API, json=body)
    assert answer.status_code == 400
    assert answer.json["errors"][0]["where"] == where
    assert len(lists.fetch(banks.engine)) == 1


def test_only_json_of_a_program_or_of_this_site_is_taken(banks: Any) -> None:
    assert banks.client.post(API, data={"title": "A"}).status_code == 415
    assert banks.client.post(API, data="{", content_type="application/json").status_code == 400
    for headers in (
        {"Origin": "https://other.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert banks.client.post(API, json={"title": "A"}, headers=headers).status_code == 403
        assert banks.client.delete(f"{API}/banks", headers=headers).status_code == 403
    assert banks.client.put(f"{API}/banks", json={"lines": [], "version": True}).status_code == 400
    assert banks.client.put(f"{API}/banks", json={"lines": [], "slug": "other"}).status_code == 400
    assert store.fetch(banks.engine, "banks").version == 1
    own = banks.client.put(f"{API}/banks", json={"lines": ["TCS"]}, headers={"Sec-Fetch-Site": "same-origin"})
    assert own.status_code == 200


def test_a_thousand_rows_with_notes_fit_and_no_more(banks: Any) -> None:
    store.change(banks.engine, "banks", edits.replace([]), "test")
    lines = [{"section": "S" * 80}] * 100 + ["TCS"]
    assert banks.client.put(f"{API}/banks", json={"lines": lines}).status_code == 200
    assert banks.client.put(f"{API}/banks", json={"lines": [*lines, {"section": "x"}]}).status_code == 400
    many = banks.client.put(f"{API}/banks", json={"lines": ["TCS"] * 1_101})
    assert "'1,101 lines' is not accepted; it is a list of at most 1,100 lines" in many.json["detail"]
    assert banks.client.put(f"{API}/banks", json={"title": "x" * 600_000}).status_code == 413


def test_a_name_that_comes_twice_is_refused(banks: Any) -> None:
    content = b'{"lines": ["TCS"], "lines": []}'
    answer = banks.client.put(f"{API}/banks", data=content, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json["detail"] == "body: 'lines' is not accepted; a name may be given once in an object"
    assert len(store.fetch(banks.engine, "banks").rows) == 3
