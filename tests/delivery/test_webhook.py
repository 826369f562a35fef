"""Webhooks: the request, its signature, and receivers that misbehave or lead inside of the network."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from ltp.core.alerts.channel import WEBHOOK, Channel, Secret
from ltp.core.alerts.delivery import Attempt
from ltp.core.alerts.message import Message
from ltp.delivery import webhook
from tests.core.alerts.test_message import FIRED
from tests.delivery.certificates import server_context
from tests.delivery.receivers import Receiver, answers, receiver, request_of, status

MESSAGE = Message("ltp-17", "mine", (FIRED._replace(note='<b>"x"\r\nX-Evil: 1'),))


def channel(target: str, secret: str = "") -> Channel:
    return Channel(1, "mine", WEBHOOK, Secret(target), Secret(secret), True, 10)


def post(target: str, secret: str = "", *, internal: bool = True, within_s: float = 5.0) -> Attempt:
    return webhook.post(channel(target, secret), MESSAGE, internal=internal, within_s=within_s)


def resolves(monkeypatch: pytest.MonkeyPatch, *answers_: list[str]) -> list[str]:
    """Have every name resolve to these addresses, each time to the next ones; return the names as they come."""
    asked: list[str] = []

    def fake(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        addresses = answers_[min(len(asked), len(answers_)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", fake)
    return asked


def test_a_message_is_posted_as_json_with_its_id_and_signature() -> None:
    with receiver(answers(status(204))) as made:
        attempt = post(f"http://127.0.0.1:{made.port}/a/b?c=d", "s1gning")
    assert attempt == Attempt(True, "accepted with status 204", 204)
    head, _, body = made.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a/b?c=d HTTP/1.1"
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert headers["host"] == f"127.0.0.1:{made.port}"
    assert (headers["content-type"], headers["idempotency-key"]) == ("application/json", "ltp-17")
    assert headers["x-signature"] == f"sha256={hmac.new(b's1gning', body, hashlib.sha256).hexdigest()}"
    assert "x-evil" not in headers
    document = json.loads(body)
    assert (document["id"], document["note"], document["ltp"]) == ("ltp-17", '<b>"x"\r\nX-Evil: 1', 1650.35)


def test_without_a_secret_nothing_is_signed() -> None:
    with receiver(answers(status(200, body=b"ok"))) as made:
        assert post(f"http://127.0.0.1:{made.port}").sent
    assert made.requests[0].startswith(b"POST / HTTP/1.1\r\n")
    assert b"x-signature" not in made.requests[0].lower()


@pytest.mark.parametrize(
    ("reply", "outcome", "code", "permanent", "retry_after_s"),
    [
        (status(500), "answered with status 500", 500, False, 0.0),
        (status(503, "Retry-After: 40"), "answered with status 503", 503, False, 40.0),
        (status(429, "Retry-After: 7"), "answered with status 429", 429, False, 7.0),
        (status(429, "Retry-After: soon"), "answered with status 429", 429, False, 0.0),
        (status(404), "refused with status 404", 404, True, 0.0),
        (
            status(302, "Location: http://127.0.0.1:1/inside"),
            "answered with a redirect, status 302, which is not followed",
            302,
            True,
            0.0,
        ),
        (b"", "it closed the connection without an answer", None, False, 0.0),
        (b"HTTP/1", "its answer is no HTTP", None, False, 0.0),
        (b"220 mail.example.com ESMTP\r\n", "its answer is no HTTP", None, False, 0.0),
    ],
)  # fmt: skip
def test_answers(reply: bytes, outcome: str, code: int | None, permanent: bool, retry_after_s: float) -> None:
    with receiver(answers(reply)) as made:
        attempt = post(f"http://127.0.0.1:{made.port}/")
    assert attempt == Attempt(False, outcome, code, permanent, retry_after_s)
    assert made.connections == 1


def test_retry_after_may_be_a_date() -> None:
    at = formatdate(time.time() + 100, usegmt=True)
    with receiver(answers(status(429, f"Retry-After: {at}"))) as made:
        assert 90 < post(f"http://127.0.0.1:{made.port}/").retry_after_s <= 100


def test_a_receiver_that_never_answers_is_given_up() -> None:
    def script(made: Receiver, connected: socket.socket) -> None:
        made.requests.append(request_of(connected))
        made.over.wait(30)

    with receiver(script) as made:
        assert post(f"http://127.0.0.1:{made.port}/", within_s=0.3) == Attempt(False, "no answer in time")


def test_a_receiver_that_drips_is_given_up() -> None:
    """Each wait alone is short, so only the end of the whole call helps."""

    def script(made: Receiver, connected: socket.socket) -> None:
        request_of(connected)
        connected.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not made.over.wait(0.02):
            connected.sendall(b"x")

    with receiver(script) as made:
        assert post(f"http://127.0.0.1:{made.port}/", within_s=0.4) == Attempt(False, "no answer in time")


@pytest.mark.parametrize("length", ["Content-Length: 10000000", "Transfer-Encoding: chunked"])
def test_a_body_without_end_is_no_failure_and_is_not_read(length: str) -> None:
    written: list[int] = []

    def script(made: Receiver, connected: socket.socket) -> None:
        request_of(connected)
        connected.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n" if "chunked" in length else b"x" * 4096
        while not made.over.is_set():
            connected.sendall(chunk)
            written.append(len(chunk))

    with receiver(script) as made:
        assert post(f"http://127.0.0.1:{made.port}/", within_s=5.0).sent
    assert sum(written) < 20_000_000  # the buffers of the two sockets, not all of an endless body


@pytest.mark.parametrize("end", [-50, 25])
def test_half_an_answer_counts_by_its_status(end: int) -> None:
    with receiver(answers(status(200, body=b"x" * 100)[:end])) as made:
        assert post(f"http://127.0.0.1:{made.port}/").sent


def test_nobody_listens(free_port: Any) -> None:
    assert post(f"http://127.0.0.1:{free_port()}/") == Attempt(False, "it refuses connections")


def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = server_context(tmp_path, "hooks.example.com")
    resolves(monkeypatch, ["127.0.0.1"])
    with receiver(answers(status(200)), context) as made:
        url = f"https://hooks.example.com:{made.port}/"
        assert post(url) == Attempt(False, "its certificate cannot be verified")
        trusting = ssl.create_default_context(cafile=str(authority))
        monkeypatch.setattr(webhook, "tls", lambda: trusting)
        assert post(url).sent
        assert post(f"https://other.example.com:{made.port}/").outcome == "its certificate cannot be verified"
    assert len(made.requests) == 1


def test_plain_text_where_tls_is_expected() -> None:
    with receiver(answers(b"HTTP/1.1 200 OK\r\n\r\n")) as made:
        attempt = post(f"https://127.0.0.1:{made.port}/", within_s=0.3)
    assert not attempt.sent
    assert not attempt.permanent


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    ],
)
def test_internal_receivers_get_no_connection(host: str) -> None:
    with receiver(answers(status(200))) as made:
        attempt = post(f"http://{host}:{made.port}/", internal=False)
    assert not attempt.sent
    assert made.connections == 0
    if "::ffff" not in host and host != "[::1]":  # a machine without IPv6 cannot resolve these
        assert (attempt.permanent, "inside of this network" in attempt.outcome) == (True, True)


def test_a_name_with_one_internal_address_gets_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, ["93.184.215.14", "127.0.0.1"])
    with receiver(answers(status(200))) as made:
        assert post(f"http://rebind.example.com:{made.port}/", internal=False).permanent
    assert made.connections == 0


def test_a_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was checked is the one that is used: a second answer of the resolver has no effect."""
    asked = resolves(monkeypatch, ["203.0.113.1"], ["127.0.0.1"])
    monkeypatch.setattr("ltp.delivery.connect.is_internal", lambda address: address == "127.0.0.1")
    tried: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address) or _unreachable())
    attempt = post("http://rebind.example.com:9/", internal=False)
    assert not attempt.sent
    assert asked == ["rebind.example.com"]
    assert tried == [("203.0.113.1", 9)]


def _unreachable() -> None:
    raise OSError(101, "Network is unreachable")


def test_the_peer_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a rule of the firewall leads a public address to this machine."""
    with receiver(answers(status(200))) as made:
        real = socket.socket.connect
        resolves(monkeypatch, ["93.184.215.14"])
        monkeypatch.setattr(socket.socket, "connect", lambda sock, _: real(sock, ("127.0.0.1", made.port)))
        assert post(f"http://hooks.example.com:{made.port}/", internal=False).permanent
    assert made.requests == []


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert post("https://hooks.example.com/T0KEN") == Attempt(False, "its host name cannot be resolved")
