"""Logging: one line a record, for people or for machines, and no secret in either."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from ltp import logs

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJkaGFuQ2xpZW50SWQiOiIxIn0.c2lnbmF0dXJl"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    "text",
    [
        "wss://api-feed.dhan.co?version=2&token=CANARY&clientId=CANARY&authType=2",
        "GET /?token=CANARY HTTP/1.1",
        "{'access-token': 'CANARY', 'client-id': 'CANARY'}",
        '{"access_token":"CANARY","dhanClientId":"CANARY"}',
        "redis://user:CANARY@host:6379/0",
        "redis://:CANARY@host/0",
        "postgresql+psycopg://ltp:CANARY@db/ltp",
        "DHANHQ_ACCESS_TOKEN=CANARY",
        "DHANHQ_CLIENT_ID = CANARY",
        "password: CANARY",
    ],
)
def test_a_secret_is_replaced_wherever_it_stands(text: str) -> None:
    assert "CANARY" not in logs.redact(text)
    assert "***" in logs.redact(text)


def test_a_bare_token_is_known_by_its_shape() -> None:
    assert logs.redact(f"refused: {JWT}!") == "refused: ***!"


@pytest.mark.parametrize(
    "text", ["NSE_EQ:1333 at 1650.35", "http://127.0.0.1:8000/screeners/swing", "line 3, column score"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert logs.redact(text) == text


def test_a_machine_gets_one_json_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("worker")
    logging.getLogger("ltp.feed").warning("two\nlines, token=%s, ₹", "CANARY")
    [line] = out.getvalue().splitlines()
    record = json.loads(line)
    assert (record["level"], record["process"], record["logger"]) == ("warning", "worker", "ltp.feed")
    assert record["message"] == "two\nlines, token=***, ₹"
    assert record["at"].endswith("+00:00")


def test_a_person_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("web")
    logging.getLogger("x").info("ready")
    assert out.getvalue().split()[1:] == ["web", "info", "ready"]


def test_a_traceback_is_redacted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("worker")
    try:
        raise ConnectionError("wss://host?token=CANARY")
    except ConnectionError:
        logging.getLogger("x").exception("the feed is gone")
    assert "CANARY" not in out.getvalue()
    assert "ConnectionError" in out.getvalue()


def test_configuring_again_replaces_the_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("worker")
    logs.configure("worker", "WARNING")
    logging.getLogger("x").info("not written")
    logging.getLogger("x").warning("written once")
    assert len(out.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("sentence", "line"),
    [
        (
            "reading demand failed: Connection refused.",
            "reading demand failed: Connection refused. The worker waits.",
        ),
        ("It ended. ", "It ended. The worker waits."),
        ("Loading ...", "Loading .... The worker waits."),
        ("version 1..2", "version 1..2. The worker waits."),
    ],
)
def test_a_sentence_has_one_full_stop(sentence: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("worker")
    logging.getLogger("x").warning("%s. The worker waits.", sentence)
    assert json.loads(out.getvalue())["message"] == line


def test_faults_and_warnings_are_lines_like_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    logs.configure("worker")
    thread = threading.Thread(target=lambda: {}["a fault"], name="account")
    thread.start()
    thread.join(10)
    try:
        raise ValueError("token=CANARY")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    warnings.warn("old", stacklevel=1)
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(each["level"], each["message"].partition("\n")[0]) for each in records[:2]] == [
        ("error", "The thread account ended by a fault"),
        ("critical", "The process ends by a fault"),
    ]
    assert "CANARY" not in out.getvalue()
    assert (records[2]["logger"], "old" in records[2]["message"]) == ("py.warnings", True)
