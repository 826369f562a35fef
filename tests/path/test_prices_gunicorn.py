"""Prices under the real web server: answers of the front are the same bytes as those of gunicorn alone."""

from __future__ import annotations

import json
import re
import select
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.path.web_server import WebServer, read_to_end, started

PRICES = b"/api/v1/current_prices"
TWO_KEYS = PRICES + b"?keys=NSE_EQ:1,NSE_EQ:2"
PLAIN = b"GET " + TWO_KEYS + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def get(
    target: bytes = TWO_KEYS,
    *,
    headers: Sequence[bytes] = (),
    method: bytes = b"GET",
    version: bytes = b"HTTP/1.1",
    body: bytes = b"",
) -> bytes:
    return b"\r\n".join([b" ".join([method, target, version]), b"Host: localhost", *headers, b"", body])


class Server(WebServer):
    application = "prices_app:app"
    defaults = {"PYTHONHASHSEED": "0"}

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def respond(self, request: bytes) -> bytes:
        """Send nothing after `request`, and return all bytes of the answers."""
        with self.connect() as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            return read_to_end(client)

    def counts(self, path: bytes = b"/counts") -> dict[str, int]:
        found: dict[str, int] = json.loads(self.respond(get(path)).partition(b"\r\n\r\n")[2])
        return found

    def answers(self) -> bool:
        """Whether prices are answered, other than by the 503 before the first price has come."""
        try:
            return self.respond(PLAIN)[9:12] in {b"200", b"404"}
        except OSError:
            return False


def timeless(answer: bytes) -> bytes:
    return re.sub(rb'"timestamp": "[^"]{29}"|Date: [^\r]+', b"", answer)


@pytest.fixture
def serve(
    free_port: Callable[[], int], wait_for: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Server]]:
    with started(Server, free_port, wait_for, tmp_path) as start:
        yield start


ANSWERED_AHEAD = [
    PLAIN,
    PLAIN * 3,
    get(version=b"HTTP/1.0"),
    get(headers=[b"Connection: keep-alive"], version=b"HTTP/1.0"),
    get(headers=[b"Connection: Close"]),
    get(headers=[b"Connection: upgrade", b"Upgrade: websocket"]),
    get(headers=[b"Content-Length: 5"], body=b"hello"),
    get(headers=[b"Transfer-Encoding: chunked"], body=b"5\r\nhello\r\n0\r\n\r\n"),
    get(headers=[b"Transfer-Encoding: chunked"], body=b"5x\r\nhello\r\n0\r\n\r\n"),
    get(headers=[b"X-Forwarded-Proto: https", b"X-Forwarded-For: 203.0.113.7"]),
    get(headers=[b"X_Y: underscore"]),
    get(b"http://localhost" + TWO_KEYS),
    get(headers=[b"SCRIPT_NAME: /api"]),
    get(headers=[b"SCRIPT_NAME: /elsewhere", b"PATH_INFO: /elsewhere"]),
    get(TWO_KEYS + b"#part"),
    get(PRICES + b"?keys=NSE_EQ%3A1&other=\x7e"),
    get(PRICES + b"?keys=" + b",".join(b"NSE_EQ:%d" % number for number in range(1, 121))),
    b"\r\n" + PLAIN,
    b"GET " + TWO_KEYS + b" HTTP/1.0\r\nHost: 127.0.0.1:80\r\n\r\n",
]
LEFT_TO_THE_APPLICATION = [
    get(method=b"HEAD"),
    get(method=b"POST", headers=[b"Content-Length: 2"], body=b"{}"),
    get(method=b"OPTIONS"),
    get(PRICES),
    get(PRICES + b"?keys=nonsense"),
    get(PRICES + b"?keys=NSE_EQ:1,NSE_EQ:424242"),
    get(PRICES + b"/?keys=NSE_EQ:1"),
    get(b"/" + TWO_KEYS),
    get(b"/api/v1/current%5Fprices?keys=NSE_EQ:1"),
    get(headers=[b"Expect: 100-continue", b"Content-Length: 5"], body=b"hello"),
    get(b"http://elsewhere" + TWO_KEYS),
    b"GET " + TWO_KEYS + b" HTTP/1.0\r\n\r\n",
    b"GET " + TWO_KEYS + b" HTTP/1.1\r\nHost:\r\n\r\n",
    b"GET " + TWO_KEYS + b" HTTP/1.1\r\nHost: evil.example\r\n\r\n",
]
REFUSED = [
    get(headers=[b"Content-Length: 5", b"Transfer-Encoding: chunked"], body=b"0\r\n\r\n"),
    get(headers=[b"Content-Length: 5", b"Content-Length: 6"], body=b"hello"),
    get(headers=[b"Content-Length: +5"], body=b"hello"),
    get(headers=[b"Transfer-Encoding: chunked, chunked"], body=b"0\r\n\r\n"),
    get(headers=[b"Transfer-Encoding: xchunked"], body=b"0\r\n\r\n"),
    get(headers=[b"Transfer-Encoding : chunked"], body=b"0\r\n\r\n"),
    get(headers=[b"Transfer-Encoding: chunked"], version=b"HTTP/1.0", body=b"0\r\n\r\n"),
    get(headers=[b"Host: elsewhere"]),
    get(headers=[b"X: a\r\n b"]),
    get(headers=[b"X: a\x00b"]),
    get(headers=[b"X: a\nContent-Length: 5"]),
    get(headers=[b"no colon"]),
    get(headers=[b"Expect: nonsense"]),
    get(headers=[b"X: " + b"a" * 8_190]),
    get(headers=[b"X: a"] * 101),
    get(TWO_KEYS + b"a" * 8_190),
    get(TWO_KEYS + b"\xff"),
    get(method=b"get"),
    get(version=b"HTTP/2.0"),
    get(version=b"HTTP/1.1 "),
    PLAIN.replace(b"\r\n", b"\n"),
    PLAIN[:-2],
]


def test_every_request_is_answered_as_gunicorn_alone_would(serve: Callable[..., Server]) -> None:
    ours, theirs = serve(), serve("--max-requests", "1000000")  # a limit that switches the front off
    for request in ANSWERED_AHEAD + LEFT_TO_THE_APPLICATION + REFUSED:
        # The answer to LAST shows whether both found the end of `request` at the same byte.
        answers = [timeless(server.respond(request + LAST)) for server in (ours, theirs)]
        assert answers[0] == answers[1], request
        assert answers[0].startswith(b"HTTP/1."), request
    assert "ahead" not in theirs.counts()


def test_the_front_answers_all_it_may_and_nothing_else(serve: Callable[..., Server]) -> None:
    server = serve()
    for requests, ahead in ((ANSWERED_AHEAD, True), (LEFT_TO_THE_APPLICATION, False), (REFUSED, False)):
        for request in requests:
            before = server.counts()["ahead"]
            server.respond(request)
            assert (server.counts()["ahead"] > before) is ahead, request


@pytest.mark.parametrize("option", ["--access-logfile=-", "--statsd-host=127.0.0.1:9", "--keep-alive=0"])
def test_an_option_for_each_request_switches_the_front_off(serve: Callable[..., Server], option: str) -> None:
    counts = serve(option).counts()
    assert counts["called"] >= 1
    assert "ahead" not in counts


def test_no_client_names_the_path_that_the_site_lives_below(serve: Callable[..., Server]) -> None:
    answer = serve().respond(get(b"/public/counts", headers=[b"SCRIPT_NAME: /public"]))
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_a_site_below_a_path_is_refused_at_the_start(free_port: Callable[[], int], tmp_path: Path) -> None:
    server = Server(free_port(), tmp_path / "log", SCRIPT_NAME="/ltp")
    assert server.process.wait(60) != 0
    assert "SCRIPT_NAME is not accepted: the site cannot live below a path" in server.log.read_text()


def test_a_client_that_requests_without_a_pause_leaves_room_for_others(serve: Callable[..., Server]) -> None:
    server = serve()
    many = 20_000
    with server.connect() as greedy, server.connect() as other, ThreadPoolExecutor(1) as sender:
        greedy.sendall(PLAIN)
        answer = len(greedy.recv(65_536))
        sender.submit(greedy.sendall, PLAIN * many)
        came = len(greedy.recv(65_536))
        other.sendall(PLAIN)
        while not readable(other):
            came += len(greedy.recv(1 << 20))
        assert other.recv(65_536).startswith(b"HTTP/1.1 200 OK")
        assert came < many * answer
        greedy.shutdown(socket.SHUT_RDWR)


def readable(client: socket.socket) -> bool:
    return bool(select.select([client], [], [], 0)[0])


def test_a_client_that_reads_little_at_a_time_gets_every_answer_whole(serve: Callable[..., Server]) -> None:
    server = serve()
    many_keys = get(PRICES + b"?keys=" + b",".join(b"NSE_EQ:%d" % number for number in range(1, 121)))
    one = timeless(server.respond(many_keys))
    with socket.socket() as client, ThreadPoolExecutor(1) as sender:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        client.settimeout(30)
        client.connect(("127.0.0.1", server.port))
        sender.submit(lambda: (client.sendall(many_keys * 300), client.shutdown(socket.SHUT_WR)))
        assert timeless(read_to_end(client)) == one * 300


def test_a_worker_that_ends_closes_the_connections_that_were_kept_alive(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve()
    with server.connect() as client:
        client.sendall(PLAIN)
        assert b"Connection: keep-alive" in client.recv(65_536)
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: b"Connection: close" in next_answer(client))
        assert next_answer(client) == b""
    assert server.process.wait(30) == 0
    assert "Traceback" not in server.log.read_text()


def next_answer(client: socket.socket) -> bytes:
    """Request prices once more, and return the answer, empty where the connection is closed."""
    try:
        client.sendall(PLAIN)
        return client.recv(65_536)
    except (BrokenPipeError, ConnectionResetError):
        return b""
