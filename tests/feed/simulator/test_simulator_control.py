from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from ltp.feed.simulator import Simulator

HDFCBANK = "NSE_EQ:1333"
Control = Callable[..., requests.Response]


@pytest.mark.parametrize("ltp", [1650.35, 0.01, 9_999_999.99])
def test_an_exact_trade_reaches_every_mode(control: Control, client: Any, ltp: float) -> None:
    for mode in (15, 17, 21):
        client.request(mode, HDFCBANK)
    client.packets(3)
    answer = control("POST", "trades", key=HDFCBANK, ltp=ltp)
    assert answer.json()["ltp"] == ltp
    assert [packet.ltp for packet in client.packets(3)] == pytest.approx([ltp] * 3, rel=1e-7)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"key": HDFCBANK, "ltp": 0}, 400, "ltp"),
        ({"key": HDFCBANK, "ltp": "1650"}, 400, "ltp"),
        ({"key": HDFCBANK}, 400, "ltp"),
        ({"key": "HDFC", "ltp": 1}, 400, "key"),
        ({"key": HDFCBANK, "ltp": 1, "ltq": -1}, 400, "ltq"),
        ({"key": HDFCBANK, "ltp": 1, "hold_s": -1}, 400, "hold_s"),
        ({"key": "NSE_EQ:999999", "ltp": 1}, 404, "NSE_EQ:999999"),
    ],
)
def test_a_refused_trade_has_its_reason(
    control: Control, body: dict[str, Any], status: int, sentence: str
) -> None:
    answer = control("POST", "trades", **body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


def test_connections_are_counted_and_shown(
    simulator: Simulator,
    client: Any,
    connect: Callable[..., Any],
    control: Control,
    wait_for: Callable[..., Any],
) -> None:
    client.request(17, HDFCBANK, "IDX_I:13")
    client.packets(3)
    connect(simulator, client_id="1000000002")
    # The handshake is answered a moment before the connection counts.
    wait_for(lambda: control("GET", "connections").json()["accepted"] == 2)
    report = control("GET", "connections").json()
    assert report["attempts"] == 2
    assert report["open"][0]["subscribed"] == {"ticker": [], "quote": ["IDX_I:13", HDFCBANK], "full": []}
    assert report["open"][0]["client_id"] == "1000000001"


@pytest.mark.parametrize(
    ("noun", "body"),
    [("drop", {"how": "gently"}), ("drop", {"code": 1}), ("disconnect", {"reason": "bored"})],
)
def test_bad_endings_are_refused(control: Control, noun: str, body: dict[str, Any]) -> None:
    assert control("POST", noun, **body).status_code == 400


def test_a_body_that_is_no_object_is_refused(simulator: Simulator) -> None:
    answer = requests.post(f"http://127.0.0.1:{simulator.port}/control/faults", json=[1], timeout=5)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Origin": ""}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/json", "Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Host": "exchange:9000"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
@pytest.mark.parametrize("body", ["", '{"kind": "freeze"}'])
def test_a_web_page_gives_no_commands(
    simulator: Simulator, headers: dict[str, str], status: int, body: str
) -> None:
    noun = "faults" if body else "drop"
    answer = requests.post(
        f"http://127.0.0.1:{simulator.port}/control/{noun}", data=body, headers=headers, timeout=20
    )
    assert answer.status_code == status
    assert ("error" in answer.json()) is (status != 200)
    assert bool(simulator.faults.active()) is (status == 200 and bool(body))


def test_a_web_page_reads_nothing(simulator: Simulator) -> None:
    for headers, status in (
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 200),
    ):
        url = f"http://127.0.0.1:{simulator.port}/control/connections"
        assert requests.get(url, headers=headers, timeout=20).status_code == status
