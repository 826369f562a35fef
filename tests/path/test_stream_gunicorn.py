"""Streams under the real web server: sockets that leave their request, drain, reload, limits."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.path.web_server import WebServer, read_to_end, started

PEM = Path(__file__).parent / "fixtures" / "localhost.pem"  # a certificate and its key, for these tests alone
TLS = ("--certfile", str(PEM), "--keyfile", str(PEM))
REQUEST = b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server(WebServer):
    application = "stream_app:app"
    defaults = {"LOG_LEVEL": "DEBUG"}
    tls: ssl.SSLContext | None = None

    def __init__(self, port: int, log: Path, *arguments: str, **environ: str) -> None:
        super().__init__(port, log, *arguments, **environ)
        if "--certfile" in arguments:
            self.tls = trusting_the_tests()
        self._browsers = ExitStack()

    def get(self, path: str, method: str = "GET") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        if self.tls:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.tls)
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

    def listening(self) -> int:
        """Return how many workers listen at the port."""
        workers = psutil.Process(self.process.pid).children()
        found = [one for worker in workers for one in worker.net_connections("tcp4")]
        return sum(one.status == psutil.CONN_LISTEN and one.laddr.port == self.port for one in found)

    def browse(self, request: bytes = REQUEST, buffer: int | None = None) -> socket.socket:
        browser = self._browsers.enter_context(socket.socket())
        if buffer:
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        browser.settimeout(30)
        browser.connect(("127.0.0.1", self.port))
        browser.sendall(request)
        return browser

    def end(self) -> None:
        self._browsers.close()
        super().end()


def trusting_the_tests() -> ssl.SSLContext:
    """Return a client's context that trusts the self-signed certificate, which names no address."""
    context = ssl.create_default_context(cafile=PEM)
    context.check_hostname = False
    return context


@pytest.fixture
def serve(
    free_port: Callable[[], int], wait_for: Callable[..., Any], tmp_path: Path
) -> Iterator[Callable[..., Server]]:
    with started(Server, free_port, wait_for, tmp_path) as start:
        yield start


def read_until(browser: socket.socket, wanted: bytes) -> bytes:
    got = b""
    while wanted not in got:
        chunk = browser.recv(65_536)
        assert chunk, f"closed before {wanted!r} came, after {got[-200:]!r}"
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
def test_a_worker_that_ends_gives_each_browser_its_time_to_reconnect(
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


def test_a_reload_refuses_at_most_one_connection(
    serve: Callable[..., Server], wait_for: Callable[..., Any]
) -> None:
    """The kernel resets a connection that is complete but not accepted when the old worker's listening socket
    closes. The old worker stands still until the new one listens, which on a busy machine may take longer
    than ending.
    """
    server = serve()
    read_until(server.browse(), b'id="beat"')
    before = server.counts()["pid"]
    os.kill(before, signal.SIGSTOP)
    try:
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: server.listening() == 2)
    finally:
        os.kill(before, signal.SIGCONT)
    answered: list[int] = []
    refused: list[Exception] = []

    def replaced() -> bool:
        try:
            answered.append(server.counts()["pid"])
        except (OSError, http.client.HTTPException) as error:
            refused.append(error)
        latest = answered[-20:]
        return len(latest) == 20 and len(set(latest)) == 1 and latest[-1] != before

    wait_for(replaced)
    assert len(refused) <= 1, refused


def test_two_workers_share_the_streams(serve: Callable[..., Server], wait_for: Callable[..., Any]) -> None:
    server = serve(WEB_CONCURRENCY="2")
    found: set[bytes] = set()

    def both() -> bool:
        """Open one more stream: the second worker may begin to listen long after the first."""
        found.update(re.findall(rb"X-Process: (\d+)", read_until(server.browse(), b'id="beat"')))
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
    server = serve(*TLS, DEADLINE_S="1")
    assert server.browse(b"\x16").recv(1) == b""
    assert server.counts()["handshakes_failed"] == 1
    assert "Traceback" not in server.log.read_text()


def test_where_the_server_itself_ends_tls_the_generator_serves(serve: Callable[..., Server]) -> None:
    server = serve(*TLS)
    with trusting_the_tests().wrap_socket(server.browse(b"")) as browser:
        browser.sendall(REQUEST)
        read_until(browser, b'id="beat"')
        server.get("/price/105")
        read_until(browser, b"<b>105</b>")
        server.process.send_signal(signal.SIGTERM)
        assert b"retry: " in read_to_end(browser)
    assert server.process.wait(30) == 0
