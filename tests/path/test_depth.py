"""The order book of a quote page through all processes: full mode while it is open, and back."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.path.stack import Stack, running

KEY = "NSE_EQ:1333"


@pytest.fixture
def stack(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Stack]:
    with running(tmp_path, free_port, WEB_CONCURRENCY="1") as stack:
        yield stack


def text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def test_an_open_quote_page_has_the_book_and_a_closed_one_costs_nothing(stack: Stack) -> None:
    def subscribed() -> Any:
        address = stack.env["DHANHQ_WS_URL"].replace("ws://", "http://")
        connections = json.loads(text(f"{address}/control/connections"))["open"]
        # There is none yet while the worker starts.
        return connections[0]["subscribed"] if connections else {"quote": [], "full": []}

    def page() -> str:
        return text(f"{stack.url}/instruments/NSE_EQ/1333")

    stack.until(lambda: KEY in subscribed()["quote"], "worker")
    assert subscribed()["full"] == []
    stack.until(lambda: "<i>live</i>" in page().partition('id="depth-NSE_EQ-1333"')[2], "worker")
    assert subscribed()["full"] == [KEY]
    assert KEY not in subscribed()["quote"]
    stack.until(lambda: "Circuit limits: as of " in page(), "worker")
    client = stack.valkey.client()
    assert 0 < client.ttl("depth:NSE_EQ:1333") <= 30
    assert 0 < client.ttl("details:NSE_EQ:1333") <= 900
    # Without a web process that wants it the instrument is soon back in the mode of all others.
    stack.stop("web")
    stack.until(lambda: subscribed()["full"] == [], "worker")
    assert KEY in subscribed()["quote"]
