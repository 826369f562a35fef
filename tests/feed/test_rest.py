"""The REST client against a real HTTP server with the answers that each test queues; no real waiting."""

from __future__ import annotations

import json
import logging
import threading
import time as wall
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ltp.errors import FeedAuthError, FeedError
from ltp.feed import rest
from ltp.feed.credentials import Credentials
from ltp.feed.rest import RestClient

TOKEN = "canary-token"
ROW = {"last_price": 100.5, "last_trade_time": "23/11/2026 10:00:00", "volume": 5, "ohlc": {"close": 99.0}}


class Broker(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, Any, dict[str, str]]] = []
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.release = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Broker
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(
            (self.command, self.path, dict(self.headers), json.loads(body) if body else None)
        )
        status, answer, headers = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if answer == "drip":
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            while not self.server.release.wait(0.05):
                self.wfile.write(b" ")
            return
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        if headers.get("Transfer-Encoding"):
            text = (
                b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:3], text[3:])) + b"0\r\n\r\n"
            )
        else:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, format: str, *args: object) -> None:
        pass


class Time:
    def __init__(self) -> None:
        self.now = 50.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    thread = threading.Thread(target=broker.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield broker
    broker.release.set()
    broker.shutdown()
    broker.server_close()
    thread.join(5)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(broker: Broker, time: Time) -> RestClient:
    url = f"http://127.0.0.1:{broker.server_port}/v2/"
    credentials = Credentials(lambda: ("1000", TOKEN))
    return RestClient(
        url, credentials, clock=lambda: 1_795_408_200.0, monotonic=lambda: time.now, sleep=time.sleep
    )


def success(rows: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    return 200, {"status": "success", "data": rows}, {}


def test_quotes_are_requested_by_segment_with_integer_ids(client: RestClient, broker: Broker):
    broker.answers.append(success({"NSE_EQ": {"1333": ROW}, "IDX_I": {"13": ROW}}))
    ticks = client.quotes(["NSE_EQ:1333", "IDX_I:13", "NSE_EQ:11536"])
    method, path, headers, body = broker.requests[0]
    assert (method, path, body) == ("POST", "/v2/marketfeed/quote", {"NSE_EQ": [1333, 11536], "IDX_I": [13]})
    assert (headers["access-token"], headers["client-id"]) == (TOKEN, "1000")
    assert sorted(ticks) == ["IDX_I:13", "NSE_EQ:1333"]
    assert (ticks["IDX_I:13"].ltp, ticks["IDX_I:13"].rest, ticks["IDX_I:13"].received_at) == (
        1_005_000,
        True,
        1_795_408_200_000_000,
    )


def test_a_thousand_keys_a_call_and_more_than_a_second_between_two(
    client: RestClient, broker: Broker, time: Time
):
    broker.answers += [success({})] * 3
    client.quotes([f"NSE_EQ:{security_id}" for security_id in range(1, 2002)])
    assert [len(body["NSE_EQ"]) for _, _, _, body in broker.requests] == [1000, 1000, 1]
    assert time.slept == [0.0, 1.1, 1.1]


def test_all_calls_share_the_pace(client: RestClient, broker: Broker, time: Time):
    broker.answers += [success({}), (200, {"dataPlan": "Active"}, {}), (200, {"accessToken": "new"}, {})]
    client.quotes(["NSE_EQ:1333"])
    time.now += 0.4
    client.profile()
    time.now += 5.0
    client.renew_token(("1000", TOKEN))
    assert time.slept == [0.0, 0.7, 0.0]


def test_callers_of_several_threads_wait_for_each_other(broker: Broker, client: RestClient, time: Time):
    broker.answers += [success({})] * 4
    threads = [threading.Thread(target=client.quotes, args=(["NSE_EQ:1333"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(time.slept) == [0.0, 1.1, 1.1, 1.1]


@pytest.mark.parametrize(("ahead_s", "error_s"), [(0, 0.0), (60, 60.0), (-19_800, -19_800.0)])
def test_the_date_of_an_answer_shows_the_error_of_the_own_clock(
    broker: Broker, time: Time, ahead_s: int, error_s: float
):
    url, credentials = f"http://127.0.0.1:{broker.server_port}/v2", Credentials(lambda: ("1000", TOKEN))
    client = RestClient(
        url, credentials, clock=lambda: wall.time() + ahead_s, monotonic=lambda: time.now, sleep=time.sleep
    )
    assert client.clock_error_s is None
    broker.answers = [success({})]
    client.profile()
    assert client.clock_error_s == pytest.approx(error_s, abs=1.5)
    assert client.true_time() == pytest.approx(wall.time(), abs=2.0)


def test_no_keys_no_call(client: RestClient, broker: Broker):
    assert client.quotes([]) == {}
    assert broker.requests == []


@pytest.mark.parametrize(
    ("status", "body", "headers", "pause_s"),
    [
        (429, {"errorCode": "DH-904"}, {}, 5.0),
        (429, {"data": {"805": "Too many requests."}, "status": "failed"}, {}, 60.0),
        (429, b"<html>", {"Retry-After": "33"}, 33.0),
        (200, {"data": {"805": "Too many requests."}, "status": "failed"}, {}, 60.0),
    ],
)
def test_too_many_pauses_every_call(
    client: RestClient,
    broker: Broker,
    time: Time,
    status: int,
    body: Any,
    headers: dict[str, str],
    pause_s: float,
):
    broker.answers += [(status, body, headers), success({})]
    with pytest.raises(FeedError):
        client.quotes(["NSE_EQ:1333"])
    assert client.paused_s == pause_s
    time.now += pause_s - 0.1
    with pytest.raises(FeedError, match="paused") as caught:
        client.profile()
    assert caught.value.code == 429
    assert len(broker.requests) == 1
    time.now += 0.2
    assert client.quotes(["NSE_EQ:1333"]) == {}


def test_pauses_grow_until_a_call_succeeds(client: RestClient, broker: Broker, time: Time):
    broker.answers += [(429, {}, {})] * 4 + [success({}), (429, {}, {})]
    pauses = []
    for _ in range(6):
        try:
            client.quotes(["NSE_EQ:1333"])
        except FeedError:
            pauses.append(client.paused_s)
        time.now += 61
    assert pauses == [5.0, 15.0, 60.0, 60.0, 5.0]


def test_a_chunked_answer_is_read(client: RestClient, broker: Broker):
    broker.answers.append((200, {"dataPlan": "Active", "ddpi": 5}, {"Transfer-Encoding": "chunked"}))
    assert client.profile() == {"dataPlan": "Active"}


def test_an_answer_that_drips_ends(broker: Broker, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rest, "TIMEOUT_S", 0.3)
    broker.answers.append((200, "drip", {}))
    client = RestClient(f"http://127.0.0.1:{broker.server_port}", Credentials(lambda: ("1000", TOKEN)))
    with pytest.raises(FeedError, match="took too long"):
        client.profile()


def test_an_answer_without_end_is_cut(client: RestClient, broker: Broker, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rest, "MAX_BODY", 1000)
    broker.answers.append((200, b" " * 5000, {}))
    with pytest.raises(FeedError, match="too much"):
        client.profile()


def test_a_redirect_is_not_followed(client: RestClient, broker: Broker):
    """The token would go to wherever it points."""
    broker.answers.append((302, b"", {"Location": f"http://127.0.0.1:{broker.server_port}/elsewhere"}))
    with pytest.raises(FeedError):
        client.profile()
    assert len(broker.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000])
def test_no_json_is_an_error(client: RestClient, broker: Broker, body: bytes):
    broker.answers.append((200, body, {}))
    with pytest.raises(FeedError, match="no JSON"):
        client.quotes(["NSE_EQ:1333"])


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (200, {"dataPlan": "Active"}, ""),
        (200, {"dataPlan": "Deactive"}, "The account's data plan is not active but 'Deactive'"),
        (200, {}, ""),
        (500, b"", ""),
        (403, b"", ""),
        (429, b"", ""),
        (
            401,
            {"errorCode": "DH-901"},
            "The client id or the access token is invalid or has expired (DH-901)",
        ),
    ],
)
def test_account_refusal_is_empty_unless_it_is_sure(
    client: RestClient, broker: Broker, status: int, body: Any, refusal: str
):
    broker.answers.append((status, body, {}))
    assert client.account_refusal() == refusal


@pytest.mark.parametrize(
    "body", [{"accessToken": "new", "expiryTime": "2026-11-24T10:00:00"}, {"data": {"accessToken": "new"}}]
)
def test_renewal_asks_by_the_headers_it_wants(client: RestClient, broker: Broker, body: Any):
    broker.answers.append((200, body, {}))
    assert client.renew_token(("1000", TOKEN)) == "new"
    method, path, headers, _ = broker.requests[0]
    assert (method, path, headers["dhanClientId"], headers["access-token"]) == (
        "GET",
        "/v2/RenewToken",
        "1000",
        TOKEN,
    )


@pytest.mark.parametrize("body", [{}, [], {"accessToken": ""}, {"accessToken": 5}, {"data": None}])
def test_renewal_without_a_token_is_an_error(client: RestClient, broker: Broker, body: Any):
    broker.answers.append((200, body, {}))
    with pytest.raises(FeedError, match="no token"):
        client.renew_token(("1000", TOKEN))


def test_refused_credentials_raise_their_own_error(client: RestClient, broker: Broker):
    broker.answers.append((401, {"errorCode": "DH-901"}, {}))
    with pytest.raises(FeedAuthError):
        client.quotes(["NSE_EQ:1333"])


@pytest.mark.parametrize("token", [TOKEN, f"{TOKEN}\nx", f"{TOKEN}₹"])
def test_no_failure_contains_the_token(token: str, free_port: Any, caplog: pytest.LogCaptureFixture):
    client = RestClient(f"http://127.0.0.1:{free_port()}", Credentials(lambda: ("1000", token)))
    with caplog.at_level(logging.DEBUG), pytest.raises(FeedError) as caught:
        client.profile()
    assert "canary" not in str(caught.value)
    assert "canary" not in caplog.text
