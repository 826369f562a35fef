"""Responses to failures: status, form for the client, and no text that is not for the reader."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from ltp.errors import (
    ConfigError,
    DatabaseError,
    FeedError,
    InputError,
    LimitError,
    LTPError,
    NotFoundError,
    NotReadError,
    StoreError,
)
from ltp.web import errors

FAILURES: dict[str, tuple[Exception, int, str]] = {
    "input": (
        InputError("keys", "<b>", "a key is SEGMENT:SECURITY_ID"),
        400,
        "keys: '<b>' is not accepted; a key is SEGMENT:SECURITY_ID",
    ),
    "surrogate": (InputError("q", "\ud800", "a text"), 400, r"q: '\ud800' is not accepted; a text"),
    "missing": (NotFoundError("screener", "nonsense"), 404, "There is no screener called 'nonsense'."),
    "not read": (
        NotReadError("The database has"),
        503,
        "The database has not been read since the start; try again in 2 s.",
    ),
    "limit": (LimitError("streams", 10, 7), 503, "The limit of 10 streams is reached; try again in 7 s."),
    "store": (StoreError("reading failed: CANARY"), 503, "The price cache cannot be reached."),
    "database": (DatabaseError("cannot be read: CANARY"), 503, "The database cannot be reached."),
    "feed": (FeedError("CANARY"), 500, "Something failed on our side."),
    "config": (ConfigError("X", "CANARY", "y"), 500, "Something failed on our side."),
    "bug": (ZeroDivisionError("CANARY"), 500, "Something failed on our side."),
}


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    (tmp_path / "error.html").write_text("<h1>{{ title }}</h1><p>{{ detail }}</p><a>{{ without }}</a>")
    app = Flask(__name__, template_folder=str(tmp_path))
    errors.install(app)

    @app.get("/api/<name>")
    @app.get("/page/<name>")
    @app.get("/page/<name>/stream")
    def fail(name: str) -> str:
        if name.isdigit():
            abort(int(name))
        raise FAILURES[name.partition(".")[0]][0]

    @app.get("/folder/")
    def folder() -> str:
        return "here"

    return app.test_client()


@pytest.mark.parametrize("name", FAILURES)
def test_the_api_answers_with_a_problem_document(client: FlaskClient, name: str) -> None:
    _, status, sentence = FAILURES[name]
    response = client.get(f"/api/{name}?q=1")
    assert response.status_code == status
    assert response.mimetype == "application/problem+json"
    document = json.loads(response.text)
    assert document["detail"].startswith(sentence)
    assert (document["status"], document["instance"]) == (status, f"/api/{name}")
    assert {"type", "title"} <= document.keys()


@pytest.mark.parametrize("name", FAILURES)
def test_a_browser_receives_a_page(client: FlaskClient, name: str) -> None:
    response = client.get(f"/page/{name}")
    assert response.status_code == FAILURES[name][1]
    assert response.mimetype == "text/html"
    assert "<b>" not in response.text


def test_the_page_links_to_the_address_without_the_refused_parameter(client: FlaskClient) -> None:
    page = client.get("/page/input?c=a+%3E+1&keys=%3Cb%3E&c=b&keys=x").text
    assert "<h1>That is not accepted</h1>" in page
    assert "<a>/page/input?c=a+%3E+1&amp;c=b</a>" in page
    assert "<a>/page/input</a>" in client.get("/page/input?keys=x").text
    assert "<a></a>" in client.get("/page/input?c=1").text
    assert "<a></a>" in client.get("/page/missing?keys=x").text


def test_a_failed_file_is_not_answered_with_a_page(client: FlaskClient) -> None:
    document = client.get("/page/input.json?keys=x")
    assert (document.status_code, document.mimetype) == (400, "application/problem+json")
    assert json.loads(document.text)["errors"][0]["where"] == "keys"
    table = client.get("/page/input.csv?keys=x")
    assert (table.status_code, table.mimetype) == (400, "text/plain")
    assert table.text == "keys: '<b>' is not accepted; a key is SEGMENT:SECURITY_ID\n"


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_stream_is_not_an_event_stream(client: FlaskClient, name: str) -> None:
    """A browser reconnects at once after any text/event-stream, also one that ends without an event."""
    response = client.get(f"/page/{name}/stream", headers={"Accept": "text/event-stream"})
    assert response.status_code == FAILURES[name][1]
    assert response.mimetype == "text/plain"
    assert response.headers["HX-Reswap"] == "none"


def test_a_fragment_that_fails_leaves_the_page_as_it_is(client: FlaskClient) -> None:
    response = client.get("/page/bug", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert response.headers["HX-Reswap"] == "none"
    assert "<h1>" not in response.text
    boosted = client.get("/page/bug", headers={"HX-Request": "true", "HX-Request-Type": "full"})
    assert "<h1>" in boosted.text


@pytest.mark.parametrize("name", ["store", "database", "feed", "config", "bug"])
@pytest.mark.parametrize("place", ["/api/{}", "/page/{}", "/page/{}/stream"])
def test_texts_of_drivers_and_bugs_are_not_sent(client: FlaskClient, name: str, place: str) -> None:
    assert "CANARY" not in client.get(place.format(name)).text


def test_a_bug_is_found_in_the_log_by_its_id(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    detail = json.loads(client.get("/api/bug").text)["detail"]
    id_ = detail.rstrip(".").rpartition(" ")[2]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert id_ in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_an_input_error_names_its_parts(client: FlaskClient) -> None:
    named = {"where": "keys", "value": "<b>", "accepted": "a key is SEGMENT:SECURITY_ID"}
    assert json.loads(client.get("/api/input").text)["errors"] == [named]


@pytest.mark.parametrize(
    ("name", "seconds"), [("limit", "7"), ("store", "5"), ("database", "5"), ("input", None), ("bug", None)]
)
def test_retry_after_is_set_for_temporary_failures(
    client: FlaskClient, name: str, seconds: str | None
) -> None:
    assert client.get(f"/api/{name}").headers.get("Retry-After") == seconds


@pytest.mark.parametrize("status", [400, 403, 404, 413, 414, 415, 500, 503])
def test_http_failures_take_the_same_forms(client: FlaskClient, status: int) -> None:
    assert client.get(f"/api/{status}").get_json()["status"] == status
    page = client.get(f"/page/{status}")
    assert (page.status_code, page.mimetype, page.headers["Cache-Control"]) == (
        status,
        "text/html",
        "no-store",
    )


def test_an_unknown_address_is_a_404_and_a_wrong_method_a_405(client: FlaskClient) -> None:
    assert client.get("/api/x/y").get_json()["detail"] == "There is no such page."
    assert client.get("/nowhere").status_code == 404
    response = client.post("/api/input")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_redirect_is_no_failure(client: FlaskClient) -> None:
    response = client.get("/folder")
    assert (response.status_code, response.location) == (308, "http://localhost/folder/")


def test_every_exception_has_a_status() -> None:
    made = [LTPError("x"), *(error for error, _, _ in FAILURES.values() if isinstance(error, LTPError))]
    assert {errors.problem_of(error).status for error in made} == {400, 404, 500, 503}
