"""A message goes the way of its channel's kind, and no fault of a way shows the target."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.core.alerts.channel import MAIL, SERVICE, WEBHOOK, Channel, Secret
from ltp.core.alerts.delivery import sent
from ltp.core.alerts.message import Message
from ltp.delivery import mail, push_services, webhook
from ltp.delivery.mail_server import MailServer
from ltp.delivery.sender import NO_SERVER, Sender
from tests.delivery.isolation import restored  # noqa: F401

pytestmark = pytest.mark.usefixtures("restored")
SERVER = MailServer("mail.example.com", 587, False, "", Secret(""), "alerts@example.com")
TARGETS = {
    WEBHOOK: "https://hooks.example.com/T0KEN",
    MAIL: "trader@example.com",
    SERVICE: "tgram://123456789:T0KEN/1",
}
MESSAGE = Message("ltp-17", "mine")


def channel(kind: str, target: str = "") -> Channel:
    return Channel(4, "mine", kind, Secret(target or TARGETS[kind]), Secret(""), True, 10)


@pytest.mark.parametrize(
    ("kind", "way"),
    [(WEBHOOK, (webhook, "post")), (MAIL, (mail, "send")), (SERVICE, (push_services, "send"))],
)
def test_each_kind_has_its_way(kind: str, way: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*way, lambda *_, **__: sent(f"by {kind}"))
    assert Sender(SERVER, internal=False)(channel(kind), MESSAGE).outcome == f"by {kind}"


def test_without_a_mail_server_a_mail_is_refused() -> None:
    attempt = Sender(None, internal=False)(channel(MAIL), MESSAGE)
    assert (attempt.outcome, attempt.permanent) == (NO_SERVER, True)


@pytest.mark.parametrize(
    ("kind", "target"),
    [(WEBHOOK, "http://hooks.example.com/T0KEN"), (SERVICE, "json://T0KEN.example.com/"), (MAIL, "T0KEN")],
)
def test_a_target_that_is_not_accepted_any_more_gets_nothing(kind: str, target: str) -> None:
    attempt = Sender(SERVER, internal=False)(channel(kind, target), MESSAGE)
    assert attempt.permanent
    assert attempt.outcome.startswith("its target is not accepted now: ")
    assert "T0KEN" not in attempt.outcome


def test_a_fault_is_logged_without_the_target(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(to: Channel, *_: Any, **__: Any) -> None:
        raise KeyError(to.target.reveal())

    monkeypatch.setattr(webhook, "post", fails)
    attempt = Sender(SERVER, internal=False)(channel(WEBHOOK), MESSAGE)
    assert (attempt.sent, attempt.permanent) == (False, False)
    assert attempt.outcome == "a fault of this program (KeyError)"
    assert "Sending to channel 4 failed: KeyError" in caplog.text
    assert "T0KEN" not in caplog.text
