"""Streams under the real web server with the real configuration: sockets that leave their request, drain,
reload, limits.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
REQUEST = b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server:
    def __init__(self, port: int, log: Path, *arguments: str, scheme: str = "http", **environ: str) -> None:
        self.port, self.log, self.scheme = port, log, scheme
        self._browsers: list[socket.socket] = []
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            ROOT / "gunicorn.conf.py",
            "--pythonpath",
            HERE,
            *arguments,
        ]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "stream_app:app"],
                cwd=ROOT,
                env=os.environ | {"PORT": str(port), "WEB_CONCURRENCY": "1", "LOG_LEVEL": "DEBUG"} | environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str, method: str = "GET") -> http.client.HTTPResponse:
        if self.scheme == "https":
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path)
        return connection.getresponse()

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.get("/counts").read())
        return found

    def answers(self) -> bool:
        try:
            return self.get("/counts").status == 200
        except OSError:
            return False

    def browse(self, request: bytes = REQUEST, buffer: int | None = None) -> socket.socket:
        browser = socket.socket()
        self._browsers.append(browser)
        if buffer:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        browser.settimeout(30)
        browser.connect(("127.0.0.1", self.port))
        browser.sendall(request)
        return browser

    def end(self) -> None:
        for browser in self._browsers:
            browser.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)


@pytest.fixture
def serve(
    free_port: Callable[[], int], wait_for: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*arguments: str, **environ: str) -> Server:
        servers.append(Server(free_port(), tmp_path / f"log{len(servers)}", *arguments, **environ))
        wait_for(servers[-1].answers)
        return servers[-1]

    yield start
    for server in servers:
        server.end()


def read_until(browser: socket.socket, wanted: bytes) -> bytes:
    got = b""
    while wanted not in got:
        chunk = browser.recv(65_536)
        assert chunk, f"closed before {wanted!r} came, after {got[-200:]!r}"
        got += chunk
    return got


def read_to_end(browser: socket.socket) -> bytes:
    got = b""
    while chunk := browser.recv(65_536):
        got += chunk
    return got


def test_a_stream_leaves_its_request_and_lives_on(serve: Callable[..., Server]) -> None:
    server = serve()
    browser = server.browse()
    head, _, first = read_until(browser, b"\n\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert b"Connection: close" in head
    assert b"Content-Length" not in head
    assert b"Transfer-Encoding" not in head
    assert first.startswith((b"retry: 1000\n", b"id: "))
    server.get("/price/105")
    assert b'<hx-partial id="ltp-NSE_EQ-1"><b>105</b><i>live</i></hx-partial>' in read_until(
        browser, b"<b>105</b>"
    )
    assert server.counts()["streams"] == 1
    browser.close()
    assert "Traceback" not in server.log.read_text()


def test_a_stream_on_a_connection_that_served_pages_before(serve: Callable[..., Server]) -> None:
    server = serve()
    browser = server.browse(b"GET /counts HTTP/1.1\r\nHost: localhost\r\n\r\n")
    read_until(browser, b'"streams":0')
    browser.sendall(REQUEST)
    read_until(browser, b'id="beat"')
    server.get("/price/7")
    read_until(browser, b"<b>7</b>")
    assert "Traceback" not in server.log.read_text()


def test_a_browser_that_comes_back_to_a_new_worker_gets_the_whole_view(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve()
    browser = server.browse()
    server.get("/price/5")
    id_ = re.findall(rb"id: (\d+)\n", read_until(browser, b"<b>5</b>"))[-1]
    before = server.counts()["pid"]
    server.process.send_signal(signal.SIGHUP)
    read_to_end(browser)
    wait_for(lambda: not Path(f"/proc/{before}").exists())
    wait_for(server.answers)
    again = server.browse(REQUEST[:-2] + b"Last-Event-ID: " + id_ + b"\r\n\r\n")
    assert b'id="ltp-NSE_EQ-120"' in read_until(again, b'id="beat"')


def test_head_opens_no_stream(serve: Callable[..., Server]) -> None:
    server = serve()
    answer = server.get("/stream", "HEAD")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    assert server.counts()["streams"] == 0


def test_past_the_cap_503_and_free_again_when_one_leaves(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve(MAX_STREAMS="3")
    browsers = [server.browse() for _ in range(3)]
    for browser in browsers:
        read_until(browser, b'id="beat"')
    assert server.get("/stream").status == 503
    browsers[0].close()
    wait_for(lambda: server.counts()["streams"] == 2)
    read_until(server.browse(), b'id="beat"')


def test_a_stalled_browser_is_cut_within_its_time_and_the_others_go_on(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    server = serve(STREAM_STALL_TIMEOUT_S="1")
    stalled, healthy = server.browse(buffer=2048), server.browse()
    read_until(healthy, b'id="beat"')
    ltp = iter(range(1000, 9000))

    def cut() -> bool:
        price = next(ltp)
        server.get(f"/price/{price}")
        read_until(healthy, b"<b>%d</b>" % price)
        return server.counts().get("stream_ends.stalled") == 1

    wait_for(cut)
    assert server.counts()["streams"] == 1
    stalled.close()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"])
def test_whoever_leaves_says_when_to_come_back(
    serve: Callable[..., Server], wait_for: Callable[..., Any], name: str
) -> None:
    server = serve()
    browsers = [server.browse() for _ in range(40)]
    for browser in browsers:
        read_until(browser, b'id="beat"')
    before = server.counts()["pid"]
    server.process.send_signal(getattr(signal, name))
    for browser in browsers:
        *_, farewell, rest = read_to_end(browser).split(b"\n\n")
        assert re.fullmatch(
            rb'retry: \d+\ndata: <hx-partial id="beat"><i>not live</i></hx-partial>', farewell
        )
        assert rest == b""
    if name == "SIGHUP":
        wait_for(lambda: server.answers() and server.counts()["pid"] != before)
    else:
        assert server.process.wait(30) == 0
    assert "Traceback" not in server.log.read_text()


def test_a_reload_refuses_at_most_who_comes_in_its_very_instant(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    """The kernel resets a connection that is complete but not accepted when the old worker's listening socket
    closes.
    """
    server = serve()
    read_until(server.browse(), b'id="beat"')
    before = server.counts()["pid"]
    server.process.send_signal(signal.SIGHUP)
    answered: list[int] = []
    refused: list[OSError] = []

    def replaced() -> bool:
        try:
            answered.append(server.counts()["pid"])
        except (OSError, http.client.HTTPException) as error:
            refused.append(error)
        return len(set(answered[-20:])) == 1 and answered[-1] != before

    wait_for(replaced)
    assert len(refused) <= 1


def test_two_workers_share_the_streams(serve: Callable[..., Server], wait_for: Callable[..., Any]) -> None:
    server = serve(WEB_CONCURRENCY="2")
    found: set[bytes] = set()

    def both() -> bool:
        """The second may begin to listen long after the first answers."""
        found.update(re.findall(rb"<p>(\d+)</p>", read_until(server.browse(), b'id="beat"')))
        return len(found) == 2

    wait_for(both)


def test_a_taken_port_is_one_sentence(serve: Callable[..., Server], tmp_path: Path) -> None:
    first = serve()
    second = Server(first.port, tmp_path / "second")
    assert second.process.wait(30) != 0
    log = second.log.read_text()
    assert f"Address 127.0.0.1 port {first.port} is taken by another program: stop it or set PORT" in log
    assert "Traceback" not in log


def test_a_setting_that_is_not_accepted_is_one_sentence(free_port: Callable[[], int], tmp_path: Path) -> None:
    server = Server(free_port(), tmp_path / "log", STREAM_STALL_TIMEOUT_S="soon")
    assert server.process.wait(30) != 0
    log = server.log.read_text()
    assert log.startswith("STREAM_STALL_TIMEOUT_S='soon' is not accepted")
    assert log.count("\n") == 1


def test_a_handshake_that_never_comes_ends(serve: Callable[..., Server]) -> None:
    pem = HERE / "fixtures" / "localhost.pem"
    server = serve("--certfile", str(pem), "--keyfile", str(pem), scheme="https")
    assert server.browse(b"\x16").recv(1) == b""
    assert server.counts()["handshakes_failed"] == 1
    assert "Traceback" not in server.log.read_text()


def test_where_the_server_itself_ends_tls_the_generator_serves(serve: Callable[..., Server]) -> None:
    pem = HERE / "fixtures" / "localhost.pem"  # self-signed, for these tests alone
    server = serve("--certfile", str(pem), "--keyfile", str(pem), scheme="https")
    context = ssl._create_unverified_context()
    with context.wrap_socket(server.browse(b"")) as browser:
        browser.sendall(REQUEST)
        read_until(browser, b'id="beat"')
        server.get("/price/105")
        read_until(browser, b"<b>105</b>")
        server.process.send_signal(signal.SIGTERM)
        assert b"retry: " in read_to_end(browser)
    assert server.process.wait(30) == 0
