"""Pins, watchlists and the table of subscriptions through all processes: what the broker is sent, and what pages say."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ltp.db import universes
from ltp.db.engine import open_engine
from ltp.db.runs import insert_run
from tests.path.stack import Stack, running

API = "/api/v1/subscriptions"
HDFC, OTHER = "NSE_EQ:1333", "NSE_EQ:10217"  # a result of a screener, and a share that is in none


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with running(folder, free_port, WEB_CONCURRENCY="2") as stack:
        engine = open_engine(f"sqlite:///{folder / 'ltp.sqlite3'}")
        insert_run(engine, "longterm", [], sample=False)  # in place of the other half of the shares
        engine.dispose()
        broker = Broker(stack)
        stack.until(lambda: broker.modes(HDFC) == ["quote"] and broker.modes(OTHER) == [], "worker")
        yield stack


def call(url: str, method: str = "GET", body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if content else {}
    request = urllib.request.Request(url, content, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


class Broker:
    """The simulator's view of the one connection."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.env["DHANHQ_WS_URL"].replace("ws://", "http://") + "/control/connections"

    @property
    def connection(self) -> Any:
        connections = call(self._url)["open"]
        return connections[0] if connections else {"subscribed": {}, "requests": 0}

    def modes(self, key: str) -> list[str]:
        return [mode for mode, keys in self.connection["subscribed"].items() if key in keys]


def row(stack: Stack, key: str) -> Any:
    found = call(f"{stack.url}{API}")["subscriptions"]
    return next((each for each in found if each["key"] == key), None)


def test_a_pin_reaches_the_broker_as_a_difference_and_the_page_says_why(stack: Stack) -> None:
    broker = Broker(stack)
    before = broker.connection["requests"]

    call(f"{stack.url}{API}", "POST", {"keys": [OTHER], "mode": "full", "note": "mine"})
    stack.until(lambda: broker.modes(OTHER) == ["full"], "worker")
    assert broker.connection["requests"] == before + 1
    call(f"{stack.url}{API}", "POST", {"keys": [OTHER, HDFC], "mode": "ticker"})
    stack.until(lambda: broker.modes(OTHER) == broker.modes(HDFC) == ["ticker"], "worker")
    assert (
        broker.connection["requests"] == before + 4
    )  # one out of full, one out of quote, one into ticker for both

    stack.until(lambda: (row(stack, OTHER) or {}).get("state") == "ticking", "worker")
    found = row(stack, OTHER)
    assert (found["mode"], [reason["kind"] for reason in found["reasons"]]) == ("ticker", ["pinned"])
    assert {"kind": "screen", "name": "swing", "title": ""} in row(stack, HDFC)["reasons"]
    stack.until(lambda: row(stack, HDFC)["packets_per_min"] is not None, "worker")

    call(f"{stack.url}{API}?keys={OTHER}", "DELETE")
    stack.until(lambda: broker.modes(OTHER) == [], "worker")
    assert row(stack, HDFC)["mode"] == "ticker"


def test_viewers_watchlists_and_a_worker_that_goes_away(stack: Stack) -> None:
    broker = Broker(stack)
    engine = open_engine(f"sqlite:///{stack.folder / 'ltp.sqlite3'}")
    universes.replace(engine, "list-mine", "My list", "test", [OTHER])
    engine.dispose()
    stack.until(lambda: broker.modes(OTHER) == ["quote"], "worker")
    with urllib.request.urlopen(f"{stack.url}/instruments/{HDFC.replace(':', '/')}/stream", timeout=30):
        stack.until(lambda: row(stack, HDFC)["viewers"] == 1, "worker")
        assert row(stack, HDFC)["mode"] in ("quote", "full")
    mine = row(stack, OTHER)
    assert mine["reasons"] == [{"kind": "watchlist", "name": "mine", "title": "My list"}]
    stack.until(lambda: row(stack, HDFC)["viewers"] == 0, "worker")

    stack.stop("worker")

    def said() -> bool:
        with urllib.request.urlopen(f"{stack.url}/subscriptions", timeout=10) as answer:
            page = answer.read().decode()
        return "Not known now." in page and 'id="s-NSE_EQ-1333"' not in page

    stack.until(said, "web")
