"""Clients that send, read or close slowly, under the real web server: others are served meanwhile."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.path.web_server import WebServer, started

SPARE = 100  # places for health checks beside the others
PLACES = 205  # with MAX_STREAMS=5
ATTACKER, OTHER = "198.51.100.1", "198.51.100.2"
DRIPPING = "POST /length HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {}\r\nContent-Length: 1000\r\n\r\nx"
UNREAD = "GET /large HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {}\r\n\r\n"


class Server(WebServer):
    application = "stream_app:app"
    defaults = {"MAX_STREAMS": "5"}

    def __init__(self, port: int, log: Path, *arguments: str, **environ: str) -> None:
        super().__init__(port, log, *arguments, **environ)
        self._clients = ExitStack()

    def open(self, request: str, port: int = 0) -> socket.socket:
        client = self._clients.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(30)
        client.connect(("127.0.0.1", port or self.port))
        client.sendall(request.encode())
        return client

    def get(self, path: str, client: str = OTHER, port: int = 0) -> bytes:
        headers = f"Host: localhost\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n"
        with self.open(f"GET {path} HTTP/1.1\r\n{headers}\r\n", port) as connection:
            return read_to_end(connection)

    def count(self, name: str) -> int:
        document = self.get("/counts").partition(b"\r\n\r\n")[2]
        return int(json.loads(document).get(name, 0))

    def answers(self) -> bool:
        try:
            return self.get("/counts").startswith(b"HTTP/1.1 200 ")
        except OSError:
            return False

    def end(self) -> None:
        self._clients.close()
        super().end()


def read_to_end(client: socket.socket) -> bytes:
    """Return all bytes until the server closes the connection, or resets it because it left bytes unread."""
    got = b""
    try:
        while chunk := client.recv(65_536):
            got += chunk
    except ConnectionResetError:
        return got
    return got


@pytest.fixture
def serve(
    free_port: Callable[[], int], wait_for: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Server]]:
    with started(Server, free_port, wait_for, tmp_path) as start:
        yield start


def test_one_client_has_a_quota_of_unfinished_requests_and_dripping_bodies_end(
    serve: Callable[..., Server],
) -> None:
    server = serve(MAX_REQUESTS_PER_CLIENT="5")
    dripping = [server.open(DRIPPING.format(ATTACKER)) for _ in range(20)]
    refused = readable(dripping, 15)
    assert len(refused) == 15
    assert all(read_to_end(client).startswith(b"HTTP/1.1 429 Too Many Requests\r\n") for client in refused)
    assert server.get("/counts").startswith(b"HTTP/1.1 200 ")
    assert server.get("/counts", ATTACKER).startswith(b"HTTP/1.1 429 ")
    assert server.get("/healthz", ATTACKER).startswith(b"HTTP/1.1 200 ")
    taken = [client for client in dripping if client not in refused]
    assert all(read_to_end(client).startswith(b"HTTP/1.1 408 Request Timeout\r\n") for client in taken)
    assert server.get("/counts", ATTACKER).startswith(b"HTTP/1.1 200 ")
    assert server.count("requests_cut.body") == 5
    assert "Traceback" not in server.log.read_text()


def readable(clients: list[socket.socket], many: int) -> list[socket.socket]:
    """Wait until `many` of the clients have an answer, and return them."""
    poll, found = select.poll(), dict[int, socket.socket]()
    names = {client.fileno(): client for client in clients}
    for client in clients:
        poll.register(client, select.POLLIN)
    while len(found) < many:
        ready = poll.poll(30_000)
        assert ready, "no answer within 30 s"
        for number, _ in ready:
            poll.unregister(number)
            found[number] = names[number]
    return list(found.values())


def test_health_is_answered_while_every_place_is_taken(
    serve: Callable[..., Server], free_port: Callable[[], int]
) -> None:
    health = free_port()
    server = serve(MAX_REQUESTS_PER_CLIENT="1000", HEALTH_BIND=f"127.0.0.1:{health}")
    dripping = [server.open(DRIPPING.format(f"198.51.100.{number}")) for number in range(PLACES)]
    for path, port, starts in (
        ("/healthz", 0, b"HTTP/1.1 200 OK\r\n"),
        ("/healthz", health, b"HTTP/1.1 200 OK\r\n"),
        ("/counts", 0, b"HTTP/1.1 503 Service Unavailable\r\n"),
        ("/counts", health, b"HTTP/1.1 404 Not Found\r\n"),
    ):
        answer = server.get(path, port=port)
        assert answer.startswith(starts), (path, port)
        assert b"Connection: close" in answer
    half_open = [server.open("G") for _ in range(SPARE)]
    assert server.get("/healthz").startswith(b"HTTP/1.1 200 ")
    assert all(read_to_end(client) == b"" for client in half_open)
    assert all(read_to_end(client).startswith(b"HTTP/1.1 408 ") for client in dripping)
    assert server.get("/counts").startswith(b"HTTP/1.1 200 ")


def test_answers_that_are_not_read_are_cut(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve(DEADLINE_S="2")
    for _ in range(30):
        server.open(UNREAD.format(ATTACKER) * 25)
    assert server.get("/counts").startswith(b"HTTP/1.1 200 ")
    wait_for(lambda: server.count("requests_cut.unread") == 30)
    assert "Traceback" not in server.log.read_text()


def test_a_client_that_reads_nothing_has_few_answers_made(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve(MAX_REQUESTS_PER_CLIENT="1")
    first = server.open(UNREAD.format(ATTACKER) * 25)  # each answer twice as large as the buffers in between
    wait_for(lambda: server.get("/counts", ATTACKER).startswith(b"HTTP/1.1 429 "))
    assert server.get("/counts").startswith(b"HTTP/1.1 200 ")
    assert first.recv(12) == b"HTTP/1.1 200"


def test_a_client_that_is_no_proxy_is_counted_from_its_connection_on_and_its_streams_are_not(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve(TRUSTED_PROXIES="none", COUNT_LOOPBACK="true", MAX_REQUESTS_PER_CLIENT="3")
    streams = [server.open("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(4)]
    assert all(stream.recv(12) == b"HTTP/1.1 200" for stream in streams)
    assert server.count("streams") == 4
    silent = [server.open("") for _ in range(3)]
    wait_for(lambda: server.get("/healthz").startswith(b"HTTP/1.1 429 "))
    for client in silent:
        client.close()
    wait_for(lambda: server.get("/counts").startswith(b"HTTP/1.1 200 "))
