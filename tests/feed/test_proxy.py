"""The one proxy rule: the environment decides, and this machine is never reached through a proxy."""

from __future__ import annotations

import base64
import select
import socket
import threading
from collections.abc import Iterator

import pytest

from ltp.errors import FeedError
from ltp.feed.client import FeedClient
from ltp.feed.proxy import Proxy, is_loopback, proxy_of
from ltp.feed.simulator import Simulator

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Tunnel:
    """A proxy that connects every name to one port of this machine, or answers with `refusal`."""

    def __init__(self, target: int) -> None:
        self.target, self.refusal, self.heads = target, b"", []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.closing = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while not self.closing.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(peer,), daemon=True).start()

    def _pass(self, peer: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += peer.recv(4096)
        self.heads.append(head.decode())
        if self.refusal:
            peer.sendall(self.refusal)
            peer.close()
            return
        with peer, socket.create_connection(("127.0.0.1", self.target)) as far:
            peer.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            while not self.closing.is_set():
                for ready in select.select([peer, far], [], [], 0.1)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (far if ready is peer else peer).sendall(data)

    def close(self) -> None:
        self.closing.set()
        self.listener.close()


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    made = Simulator().start()
    yield made
    made.stop()


@pytest.fixture
def tunnel(simulator: Simulator) -> Iterator[Tunnel]:
    made = Tunnel(int(simulator.url.rpartition(":")[2]))
    yield made
    made.close()


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
    ],
)
def test_this_machine_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:3128")
    assert is_loopback(host)
    assert proxy_of(f"ws://[{host}]:1" if ":" in host else f"ws://{host}:1") is None


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "wss://api-feed.dhan.co", None),
        ({"https_proxy": "http://p:3128"}, "wss://api-feed.dhan.co", Proxy("p", 3128)),
        ({"HTTPS_PROXY": "p:3128"}, "wss://api-feed.dhan.co", Proxy("p", 3128)),
        ({"http_proxy": "http://p:3128"}, "wss://api-feed.dhan.co", None),
        ({"http_proxy": "http://p"}, "ws://broker.test:9", Proxy("p", 80)),
        ({"all_proxy": "http://p:1"}, "wss://api-feed.dhan.co", Proxy("p", 1)),
        ({"https_proxy": "http://p:1", "no_proxy": "dhan.co"}, "wss://api-feed.dhan.co", None),
        ({"https_proxy": "http://p:1", "NO_PROXY": "*"}, "wss://api-feed.dhan.co", None),
        ({"http_proxy": "http://p:1", "no_proxy": "192.0.2.0/24"}, "ws://192.0.2.7:9", None),
        ({"https_proxy": "http://p:1", "no_proxy": "example.com"}, "wss://api-feed.dhan.co", Proxy("p", 1)),
        (
            {"https_proxy": "http://user:p%40ss@p:1"},
            "wss://api-feed.dhan.co",
            Proxy("p", 1, f"Basic {base64.b64encode(b'user:p@ss').decode()}"),
        ),
    ],
)
def test_the_environment_decides(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: Proxy | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == proxy


@pytest.mark.parametrize(
    "value", ["socks5://user:hunter2@p:1", "https://user:hunter2@p:1", "http://user:hunter2@p:port"]
)
def test_a_proxy_that_cannot_be_used_is_a_sentence_without_its_password(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(FeedError) as caught:
        proxy_of("wss://api-feed.dhan.co")
    assert "hunter2" not in str(caught.value)


def test_the_feed_goes_through_a_proxy(
    simulator: Simulator, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:hunter2@127.0.0.1:{tunnel.port}")
    client = FeedClient()
    client.connect("ws://broker.test:8765", "1000", "canary-token", 10.0)
    client.ping()
    while client.bytes_read == 0:
        client.read(5.0)
    client.close(1.0)
    [head] = tunnel.heads
    assert head.splitlines()[0] == "CONNECT broker.test:8765 HTTP/1.1"
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'user:hunter2').decode()}" in head
    assert "canary" not in head


def test_a_simulator_of_this_machine_is_reached_past_the_proxy(
    simulator: Simulator, tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{tunnel.port}")
    client = FeedClient()
    client.connect(simulator.url, "1000", "token", 10.0)
    client.close(1.0)
    assert tunnel.heads == []


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "The proxy 127.0.0.1 does not connect to broker.test: HTTP 407",
        ),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nX: y\r\n\r\n",
            "The proxy 127.0.0.1 does not connect to broker.test: HTTP 502",
        ),
        (b"nonsense\r\n\r\n", "The proxy 127.0.0.1 does not connect to broker.test: HTTP nothing readable"),
        (b"HTTP/1.1 200", "The proxy 127.0.0.1 broke off instead of connecting to broker.test"),
        (b"x" * 20_000, "The proxy 127.0.0.1 broke off instead of connecting to broker.test"),
    ],
)
def test_a_refusal_of_the_proxy_is_not_taken_for_the_brokers(
    tunnel: Tunnel, monkeypatch: pytest.MonkeyPatch, refusal: bytes, sentence: str
) -> None:
    tunnel.refusal = refusal
    monkeypatch.setenv("http_proxy", f"http://user:hunter2@127.0.0.1:{tunnel.port}")
    with pytest.raises(FeedError) as caught:
        FeedClient().connect("ws://broker.test:8765", "1000", "canary-token", 10.0)
    assert (str(caught.value), caught.value.code) == (sentence, 0)
