"""The client on a real socket to a broker of a few lines, scripted by each test."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import socket
import ssl
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ltp import metrics
from ltp.errors import FeedAuthError, FeedClosed, FeedError
from ltp.feed import frames
from ltp.feed.client import FeedClient
from ltp.feed.frames import BINARY, CLOSE, PING, PONG, TEXT, encode
from tests.feed.messages import cut_apart

TOKEN = "eyJ.canary/+ =&token"
TICKER = bytes.fromhex("02100001450b00003343af44a00e046b")
CERTIFICATE = (
    Path(__file__).parent / "fixtures" / "localhost.pem"
)  # for localhost, signed by itself, with its key


class Broker:
    """Accepts one connection at a time; `answer` plays the server's part after the request was read."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.url = f"{'wss' if tls else 'ws'}://localhost:{self.listener.getsockname()[1]}"
        self.tls = tls
        self.answer: Callable[[Broker], None] = lambda broker: broker.accept()
        self.request = ""
        self.accept_header = ""
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def start(self, answer: Callable[[Broker], None]) -> Broker:
        self.answer = answer
        self.thread.start()
        return self

    def _serve(self) -> None:
        try:
            self.peer, _ = self.listener.accept()
            self.peer.settimeout(10)
            if self.tls:
                self.peer = self.tls.wrap_socket(self.peer, server_side=True)
            while "\r\n\r\n" not in self.request:
                self.request += self.peer.recv(4096).decode()
            key = next(
                line[19:] for line in self.request.splitlines() if line.startswith("Sec-WebSocket-Key: ")
            )
            digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            self.accept_header = base64.b64encode(digest).decode()
            self.answer(self)
        except OSError:
            pass  # the client went away, or never came
        finally:
            self.done.set()

    def accept(self, more: bytes = b"") -> None:
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.peer.sendall(f"{head}Sec-WebSocket-Accept: {self.accept_header}\r\n\r\n".encode() + more)

    def refuse(self, head: str) -> None:
        self.peer.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(TOKEN)}\r\n\r\n{TOKEN}".encode())

    def read_frames(self, count: int) -> list[tuple[int, bytes]]:
        """Return the next frames of the client as (opcode, payload); each must be masked."""
        got = []
        for _ in range(count):
            first, second = self._take(2)
            assert second & 0x80
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            key = self._take(4)
            got.append((first & 0x0F, frames.mask(self._take(size), key)))
        return got

    def _take(self, count: int) -> bytes:
        taken = b""
        while len(taken) < count:
            chunk = self.peer.recv(count - len(taken))
            if not chunk:
                raise OSError("gone")
            taken += chunk
        return taken

    def close(self) -> None:
        self.listener.close()
        if hasattr(self, "peer"):
            self.peer.close()
        if self.thread.ident:
            self.thread.join(5)


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.close()


@pytest.fixture
def client() -> Iterator[FeedClient]:
    client = FeedClient()
    yield client
    client.close(0.1)


def connect(client: FeedClient, broker: Broker, timeout_s: float = 5.0) -> None:
    client.connect(broker.url, "client 1", TOKEN, timeout_s)


def read(client: FeedClient, timeout_s: float) -> list[bytes]:
    return cut_apart(client.read(timeout_s))


def read_until(client: FeedClient, count: int) -> list[bytes]:
    messages: list[bytes] = []
    deadline = time.monotonic() + 30
    while len(messages) < count:
        assert time.monotonic() < deadline
        messages += read(client, 0.5)
    return messages


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def test_the_four_parameters_are_url_encoded(client: FeedClient, broker: Broker):
    connect(client, broker.start(Broker.accept))
    target = broker.request.split()[1]
    assert parse_qs(urlsplit(target).query) == {
        "version": ["2"],
        "token": [TOKEN],
        "clientId": ["client 1"],
        "authType": ["2"],
    }


def test_messages_come_whole_also_those_right_behind_the_handshake(
    client: FeedClient, broker: Broker, wait_for: Callable[..., Any]
):
    def answer(broker: Broker) -> None:
        broker.accept(encode(BINARY, TICKER) * 3)
        half = len(TICKER) // 2
        broker.peer.sendall(encode(BINARY, TICKER)[:half])
        broker.read_frames(1)
        broker.peer.sendall(encode(BINARY, TICKER)[half:])

    connect(client, broker.start(answer))
    assert read_until(client, 3) == [TICKER] * 3
    wait_for(lambda: client.read(0.2) == [] and client.half_read)
    client.send("go on")
    assert read_until(client, 1) == [TICKER]
    assert not client.half_read
    assert client.frames_read == 4
    assert client.bytes_read == 4 * len(encode(BINARY, TICKER))


def test_nothing_came_is_an_empty_list(client: FeedClient, broker: Broker):
    connect(client, broker.start(Broker.accept))
    assert client.read(0.05) == []
    assert client.read(0.0) == []


def test_pings_are_answered_and_are_no_messages(client: FeedClient, broker: Broker):
    answered: list[tuple[int, bytes]] = []

    def answer(broker: Broker) -> None:
        broker.accept(encode(PING, b"beat") + encode(BINARY, TICKER))
        answered.extend(broker.read_frames(1))

    connect(client, broker.start(answer))
    assert read_until(client, 1) == [TICKER]
    assert broker.done.wait(20)
    assert answered == [(PONG, b"beat")]


def test_a_sent_text_is_masked(client: FeedClient, broker: Broker):
    got: list[tuple[int, bytes]] = []

    def answer(broker: Broker) -> None:
        broker.accept()
        got.extend(broker.read_frames(3))

    connect(client, broker.start(answer))
    client.send("short")
    client.send("long" * 2000)
    client.ping()
    assert broker.done.wait(20)
    assert got == [(TEXT, b"short"), (TEXT, b"long" * 2000), (PING, b"")]


def test_a_text_from_the_broker_is_counted_and_left_out(client: FeedClient, broker: Broker):
    counted = metrics.value("feed_frames.text")
    connect(
        client, broker.start(lambda broker: broker.accept(encode(TEXT, b"welcome") + encode(BINARY, TICKER)))
    )
    assert read_until(client, 1) == [TICKER]
    assert metrics.value("feed_frames.text") == counted + 1


@pytest.mark.parametrize(
    ("payload", "code"),
    [(struct.pack("!H", 1001) + b"bye", 1001), (struct.pack("!H", 1011), 1011), (b"", 1005)],
)
def test_a_close_frame_is_answered_and_raised_after_the_messages_before_it(
    client: FeedClient, broker: Broker, payload: bytes, code: int
):
    answered: list[tuple[int, bytes]] = []

    def answer(broker: Broker) -> None:
        broker.accept(encode(BINARY, TICKER) + encode(CLOSE, payload))
        answered.extend(broker.read_frames(1))

    connect(client, broker.start(answer))
    assert read_until(client, 1) == [TICKER]
    with pytest.raises(FeedClosed) as caught:
        client.read(5)
    assert caught.value.code == code
    assert broker.done.wait(20)
    assert answered == [(CLOSE, payload[:2])]


@pytest.mark.parametrize("end", [lambda peer: peer.close(), reset], ids=["FIN", "RST"])
def test_a_bare_drop_has_no_code(client: FeedClient, broker: Broker, end: Callable[[socket.socket], None]):
    def answer(broker: Broker) -> None:
        broker.accept(encode(BINARY, TICKER))
        broker.read_frames(1)
        end(broker.peer)

    connect(client, broker.start(answer))
    read_until(client, 1)
    client.send("now")
    with pytest.raises(FeedClosed) as caught:
        client.read(5)
    assert caught.value.code == 0
    with pytest.raises(FeedClosed):
        client.send("too late")


def test_a_giant_frame_is_cut_off(client: FeedClient, broker: Broker):
    answered: list[tuple[int, bytes]] = []

    def answer(broker: Broker) -> None:
        broker.accept(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))
        answered.extend(broker.read_frames(1))

    connect(client, broker.start(answer))
    with pytest.raises(FeedClosed) as caught:
        read_until(client, 1)
    assert caught.value.code == 1009
    assert broker.done.wait(20)
    assert answered == [(CLOSE, struct.pack("!H", 1009))]


@pytest.mark.parametrize(
    ("head", "status", "kind", "retry_after_s"),
    [
        ("429 Too Many Requests\r\nRetry-After: 75", 429, FeedError, 75.0),
        ("503 Service Unavailable", 503, FeedError, 0.0),
        ("401 Unauthorized", 401, FeedAuthError, 0.0),
        ("403 Forbidden", 403, FeedAuthError, 0.0),
    ],
)
def test_a_refused_handshake_names_its_status(
    client: FeedClient, broker: Broker, head: str, status: int, kind: type, retry_after_s: float
):
    with pytest.raises(FeedError) as caught:
        connect(client, broker.start(lambda broker: broker.refuse(head)))
    assert (type(caught.value), caught.value.code, caught.value.retry_after_s) == (
        kind,
        status,
        retry_after_s,
    )


def drip(broker: Broker) -> None:
    """Each byte comes in time, the end never."""
    while not broker.done.wait(0.05):
        broker.peer.sendall(b"H")


@pytest.mark.parametrize(
    "answer",
    [
        lambda broker: broker.refuse(f"403 {TOKEN}"),
        lambda broker: broker.refuse(f"302 Found\r\nLocation: ws://localhost/?token={TOKEN}"),
        lambda broker: broker.peer.sendall(f"nonsense {TOKEN}\r\n\r\n".encode()),
        lambda broker: broker.peer.sendall(f"HTTP/1.1 101 OK\r\nUpgrade: {TOKEN}\r\n\r\n".encode()),
        lambda broker: broker.peer.sendall(b"\xff\xfe\r\n\r\n"),
        lambda broker: broker.peer.close(),
        lambda broker: reset(broker.peer),
        lambda broker: broker.done.wait(60),
        drip,
    ],
    ids=["echo", "redirect", "nonsense", "no websocket", "no text", "FIN", "RST", "says nothing", "drips"],
)
def test_failed_handshakes_end_and_no_error_contains_the_token(
    client: FeedClient, broker: Broker, answer: Callable[[Broker], None]
):
    with pytest.raises(FeedError) as caught:
        connect(client, broker.start(answer), timeout_s=0.5)
    broker.done.set()
    for secret in (TOKEN, "canary", "client 1", "client+1"):
        assert secret not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_no_server_at_the_port(client: FeedClient, free_port: Callable[[], int]):
    with pytest.raises(FeedError, match=r"127\.0\.0\.1: Connection refused") as caught:
        client.connect(f"ws://127.0.0.1:{free_port()}", "1", TOKEN, 2.0)
    assert caught.value.code == 0


def test_a_name_whose_first_address_swallows_everything(
    client: FeedClient, broker: Broker, monkeypatch: pytest.MonkeyPatch, free_port: Callable[[], int]
):
    """The handshake is made with the second address, within the same bound."""
    mute = socket.socket()
    mute.bind(("127.0.0.1", 0))
    mute.listen(0)
    fillers = [socket.socket() for _ in range(8)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(mute.getsockname())
    places = [mute.getsockname(), broker.listener.getsockname()]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", at) for at in places]
    )
    connect(client, broker.start(lambda broker: broker.accept(encode(BINARY, TICKER))))
    assert read_until(client, 1) == [TICKER]
    for each in (mute, *fillers):
        each.close()


def test_a_key_log_that_cannot_be_written_is_a_failure_to_connect(
    client: FeedClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSLKEYLOGFILE", "/no/such/folder/keys")
    with pytest.raises(
        FeedError,
        match=r"TLS cannot be started with the files of SSLKEYLOGFILE or .*: No such file or directory",
    ):
        client.connect("wss://localhost:1", "1", TOKEN, 1.0)


def test_close_sends_a_close_frame_and_waits_for_the_answer(client: FeedClient, broker: Broker):
    got: list[tuple[int, bytes]] = []

    def answer(broker: Broker) -> None:
        broker.accept()
        got.extend(broker.read_frames(1))
        broker.peer.sendall(encode(BINARY, TICKER) + encode(CLOSE, got[0][1]))

    connect(client, broker.start(answer))
    client.close(5.0)
    assert got == [(CLOSE, struct.pack("!H", 1000))]
    with pytest.raises(FeedClosed):
        client.read(0.1)


def test_close_waits_a_bounded_time_for_a_silent_peer(client: FeedClient, broker: Broker):
    release = threading.Event()

    def answer(broker: Broker) -> None:
        broker.accept()
        release.wait(60)

    connect(client, broker.start(answer))
    client.close(0.3)
    assert not broker.done.is_set()
    release.set()


def test_abort_ends_a_read_of_another_thread(client: FeedClient, broker: Broker):
    release = threading.Event()

    def answer(broker: Broker) -> None:
        broker.accept()
        release.wait(60)

    connect(client, broker.start(answer))
    threading.Timer(0.1, client.abort).start()
    with pytest.raises(FeedClosed):
        client.read(60)
    release.set()


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.fixture
def tls_broker() -> Iterator[Broker]:
    broker = Broker(tls_context())
    yield broker
    broker.close()


def test_a_self_signed_certificate_is_refused(client: FeedClient, tls_broker: Broker):
    with pytest.raises(FeedError, match="certificate is not valid"):
        connect(client, tls_broker.start(Broker.accept))


def test_bytes_that_tls_holds_back_are_read(
    client: FeedClient, tls_broker: Broker, monkeypatch: pytest.MonkeyPatch
):
    """One TLS record larger than a read leaves bytes inside TLS that no select can see."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setattr("ltp.feed.client.CHUNK", 1000)
    connect(client, tls_broker.start(lambda broker: broker.accept(encode(BINARY, TICKER) * 800)))
    assert read_until(client, 800) == [TICKER] * 800
    client.send("hello")
    assert client.read(0.05) == []


@pytest.mark.parametrize(("kind", "record"), [("broker", 0), ("tls_broker", 5 + 1 + 16)])
def test_one_read_brings_everything_that_came(
    client: FeedClient,
    kind: str,
    record: int,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    wait_for: Callable[..., Any],
):
    """TLS gives one record a receive, and the feed sends one price a record."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    frame = encode(BINARY, TICKER)

    def answer(broker: Broker) -> None:
        broker.accept(frame)
        broker.done.wait(20)
        for _ in range(100):
            broker.peer.sendall(frame)

    def arrived() -> int:
        return struct.unpack("i", fcntl.ioctl(client._socket, termios.FIONREAD, bytes(4)))[0]

    broker = request.getfixturevalue(kind)
    connect(client, broker.start(answer))
    assert read_until(client, 1) == [TICKER]
    broker.done.set()
    wait_for(lambda: arrived() >= 100 * (len(frame) + record))
    assert read(client, 5) == [TICKER] * 100


def test_one_read_brings_more_than_one_receive_can(
    client: FeedClient, broker: Broker, monkeypatch: pytest.MonkeyPatch, wait_for: Callable[..., Any]
):
    """A hundred thousand prices a second are two receives between two rests."""
    monkeypatch.setattr("ltp.feed.client.CHUNK", 1000)
    frame = encode(BINARY, TICKER)

    def arrived() -> int:
        return struct.unpack("i", fcntl.ioctl(client._socket, termios.FIONREAD, bytes(4)))[0]

    def answer(broker: Broker) -> None:
        broker.accept(frame)
        broker.done.wait(20)
        broker.peer.sendall(frame * 500)

    connect(client, broker.start(answer))
    assert read_until(client, 1) == [TICKER]
    broker.done.set()
    wait_for(lambda: arrived() >= 500 * len(frame))
    assert read(client, 5) == [TICKER] * 500


def test_an_end_that_lies_behind_messages_is_raised_after_them(client: FeedClient, broker: Broker):
    ended = threading.Event()

    def answer(broker: Broker) -> None:
        broker.accept(encode(BINARY, TICKER))
        broker.peer.shutdown(socket.SHUT_WR)
        ended.set()

    connect(client, broker.start(answer))
    assert ended.wait(20)
    assert read(client, 5) == [TICKER]
    with pytest.raises(FeedClosed, match="without a close frame"):
        client.read(5)
