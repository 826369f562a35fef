"""Services of apprise: one receiver a call, no redirect, and no way inside of the network."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import requests

from ltp.core.alerts.channel import SERVICE, Channel, Secret
from ltp.core.alerts.delivery import Attempt
from ltp.core.alerts.message import Message
from ltp.delivery import push_services
from ltp.delivery.connect import Call
from tests.core.alerts.test_message import FIRED
from tests.delivery.isolation import restored  # noqa: F401
from tests.delivery.receivers import Receiver, answers, receiver, request_of, status

MESSAGE = Message("ltp-17", "mine", (FIRED._replace(note="@everyone [bank](https://evil.example.com) <b>"),))


pytestmark = pytest.mark.usefixtures("restored")


def send(target: str, *, internal: bool = True, within_s: float = 5.0) -> Attempt:
    push_services.isolate(internal=internal)
    to = Channel(1, "mine", SERVICE, Secret(target), Secret(""), True, 10)
    return push_services.send(to, MESSAGE, within_s=within_s)


def test_a_message_reaches_the_service_as_plain_text() -> None:
    with receiver(answers(status(200, body=b"{}"))) as made:
        assert send(f"ntfy://127.0.0.1:{made.port}/topic") == Attempt(True, "accepted by ntfy")
    [request] = made.requests
    found = json.loads(request.partition(b"\r\n\r\n")[2])
    assert (found["topic"], found["title"]) == ("topic", "Alert: HDFCBANK: ltp > 1650")
    assert "Note: @\u200beveryone [bank]\u200b(https://evil.example.com) <b>" in found["message"]


@pytest.mark.parametrize(
    ("reply", "attempt"),
    [
        (status(401), Attempt(False, "refused with status 401", 401, True)),
        (status(503), Attempt(False, "answered with status 503", 503)),
        (status(429), Attempt(False, "answered with status 429", 429)),
        (
            status(302, "Location: http://127.0.0.1:1/"),
            Attempt(False, "answered with a redirect, status 302, which is not followed", 302, True),
        ),
        (b"", Attempt(False, "ntfy did not accept it, or was not reached")),
    ],
)
def test_answers(reply: bytes, attempt: Attempt) -> None:
    with receiver(answers(reply)) as made:
        assert send(f"ntfy://127.0.0.1:{made.port}/topic") == attempt
    assert made.connections == 1


def test_a_service_that_drips_is_given_up() -> None:
    def script(made: Receiver, connected: socket.socket) -> None:
        request_of(connected)
        connected.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not made.over.wait(0.02):
            connected.sendall(b"x")

    with receiver(script) as made:
        attempt = send(f"ntfy://127.0.0.1:{made.port}/topic", within_s=0.4)
    assert attempt == Attempt(False, "no answer in time")


@pytest.mark.parametrize(
    "target", ["ntfys://rebind.example.com:{}/topic", "gotifys://rebind.example.com:{}/token"]
)
def test_an_internal_service_gets_no_connection(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def inside(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    with receiver(answers(status(200))) as made:
        attempt = send(target.format(made.port), internal=False)
    assert attempt.permanent
    assert "inside of this network" in attempt.outcome
    assert made.connections == 0


def test_every_call_of_requests_is_checked() -> None:
    """apprise calls this library; a release of it that connects in another way must not pass unnoticed."""
    push_services.isolate(internal=False)
    with receiver(answers(status(200))) as made, Call(5.0) as call:
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{made.port}/", timeout=2)
        assert call.refused
    assert made.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(answers(status(200))) as proxy, receiver(answers(status(200, body=b"{}"))) as made:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(f"ntfy://127.0.0.1:{made.port}/topic").sent
    assert (proxy.connections, made.connections) == (0, 1)


@pytest.mark.parametrize(
    ("target", "outcome"),
    [
        (
            "tgram://123456789:abcdefg_hijklmnop/1/2",
            "the address names 2 receivers of Telegram; a channel has one",
        ),
        ("tgram://x/1", "the address is none that Telegram has"),
        ("slack://x", "the address is none that Slack has"),
    ],
)
def test_an_address_that_no_service_takes(target: str, outcome: str) -> None:
    attempt = send(target)
    assert (attempt.outcome, attempt.permanent) == (outcome, True)


def test_nothing_is_sent_before_the_process_is_isolated() -> None:
    to = Channel(1, "mine", SERVICE, Secret("ntfy://topic"), Secret(""), True, 10)
    with pytest.raises(RuntimeError, match="not checked"):
        push_services.send(to, MESSAGE)
