"""Mails: plain text that no note can turn into a header, and servers that refuse, put off or hang."""

from __future__ import annotations

import ssl
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from ltp.core.alerts.channel import MAIL, Channel, Secret
from ltp.core.alerts.delivery import Attempt
from ltp.core.alerts.message import Message
from ltp.delivery import mail
from ltp.delivery.mail_server import MailServer
from tests.core.alerts.test_message import FIRED
from tests.delivery.certificates import server_context
from tests.delivery.receivers import Receiver, mail_script, receiver

HOSTILE = FIRED._replace(
    note="a\r\nBcc: x@example.com\r\n.\r\nMAIL FROM:<x>", symbol="A\r\nBcc: y@example.com"
)
MESSAGE = Message("ltp-17", "mine", (HOSTILE,))
TO = Channel(1, "mine", MAIL, Secret("trader@example.com"), Secret(""), True, 10)


def server(port: int, host: str = "127.0.0.1", user: str = "", *, secure: bool = False) -> MailServer:
    password = "s3cret" if user else ""
    return MailServer(host, port, secure, user, Secret(password), "alerts@example.com")


def send(made: Receiver, user: str = "", *, internal: bool = True, within_s: float = 5.0) -> Attempt:
    return mail.send(server(made.port, user=user), TO, MESSAGE, internal=internal, within_s=within_s)


def test_a_message_is_mailed_as_text() -> None:
    with receiver(mail_script()) as made:
        assert send(made) == Attempt(True, "accepted with status 250", 250)
    commands, body = made.requests[:-2], made.requests[-2]
    assert [line.split(b" size")[0] for line in commands] == [
        b"ehlo example.com",
        b"mail FROM:<alerts@example.com>",
        b"rcpt TO:<trader@example.com>",
        b"data",
    ]
    found = message_from_bytes(body, policy=default)
    assert (found["From"], found["To"]) == ("alerts@example.com", "trader@example.com")
    assert (found["Message-ID"], found["Idempotency-Key"]) == ("<ltp-17@example.com>", "ltp-17")
    assert found["Subject"] == "Alert: A Bcc: y@example.com: ltp > 1650"
    assert "Bcc" not in found
    assert found.get_content_type() == "text/plain"
    assert "Note: a Bcc: x@example.com . MAIL FROM:<x>" in found.get_content()
    assert "Price: ₹1,650.35" in found.get_content()


@pytest.mark.parametrize(
    ("replies", "attempt"),
    [
        ({"connect": "421 busy"}, Attempt(False, "put off with status 421", 421)),
        ({"connect": "554 no"}, Attempt(False, "refused with status 554", 554, True)),
        ({"MAIL": "451 later"}, Attempt(False, "put off with status 451", 451)),
        ({"MAIL": "550 no"}, Attempt(False, "refused with status 550", 550, True)),
        ({"RCPT": "450 grey"}, Attempt(False, "put off with status 450", 450)),
        ({"RCPT": "550 trader@example.com?"}, Attempt(False, "refused with status 550", 550, True)),
        ({"DATA": "452 full"}, Attempt(False, "put off with status 452", 452)),
        ({"body": "554 spam"}, Attempt(False, "refused with status 554", 554, True)),
        ({"body": "451 later"}, Attempt(False, "put off with status 451", 451)),
        ({"MAIL": "close"}, Attempt(False, "it closed the connection without an answer")),
        ({"QUIT": "close"}, Attempt(True, "accepted with status 250", 250)),
    ],
)
def test_answers(replies: dict[str, str], attempt: Attempt) -> None:
    with receiver(mail_script(replies)) as made:
        assert send(made) == attempt


def test_a_server_that_hangs_is_given_up() -> None:
    with receiver(mail_script({"RCPT": "hang"})) as made:
        assert send(made, within_s=0.3) == Attempt(False, "no answer in time")


def test_a_password_is_never_sent_without_encryption() -> None:
    with receiver(mail_script({"EHLO": "250-here\r\n250 AUTH PLAIN LOGIN"})) as made:
        attempt = send(made, user="me")
    assert attempt == Attempt(
        False, "it offers no encryption, and a password would be readable", None, permanent=True
    )
    assert [line.split()[0] for line in made.requests] == [b"ehlo"]


def test_an_internal_server_needs_the_setting() -> None:
    with receiver(mail_script()) as made:
        attempt = send(made, internal=False)
    assert attempt.permanent
    assert "ALERTS_ALLOW_INTERNAL" in attempt.outcome
    assert made.connections == 0


def test_nobody_listens(free_port: Any) -> None:
    attempt = mail.send(server(free_port()), TO, MESSAGE, internal=True)
    assert attempt == Attempt(False, "it refuses connections")


@pytest.mark.parametrize(
    ("login", "attempt"),
    [
        ("235 welcome", Attempt(True, "accepted with status 250", 250)),
        ("535 no", Attempt(False, "refused the log-in with status 535", 535, True)),
        ("454 later", Attempt(False, "put off the log-in with status 454", 454)),
    ],
)
def test_a_log_in_over_tls(tmp_path: Path, monkeypatch: Any, login: str, attempt: Attempt) -> None:
    context, authority = server_context(tmp_path, "localhost")
    monkeypatch.setattr(mail, "tls", lambda: ssl.create_default_context(cafile=str(authority)))
    script = mail_script({"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": login})
    with receiver(script, context) as made:
        assert (
            mail.send(server(made.port, "localhost", "me", secure=True), TO, MESSAGE, internal=True)
            == attempt
        )
    assert made.requests[1].startswith(b"AUTH PLAIN ")


def test_starttls_comes_before_the_log_in(tmp_path: Path, monkeypatch: Any) -> None:
    context, authority = server_context(tmp_path, "localhost")
    script = mail_script({"EHLO": "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN", "AUTH": "235 fine"}, context)
    with receiver(script) as made:
        to = server(made.port, "localhost", "me")
        assert mail.send(to, TO, MESSAGE, internal=True).outcome == "its certificate cannot be verified"
        assert [line.split()[0].lower() for line in made.requests] == [b"ehlo", b"starttls"]
        monkeypatch.setattr(mail, "tls", lambda: ssl.create_default_context(cafile=str(authority)))
        assert mail.send(to, TO, MESSAGE, internal=True).sent
    assert [line.split()[0].lower() for line in made.requests[2:6]] == [
        b"ehlo",
        b"starttls",
        b"ehlo",
        b"auth",
    ]


def test_a_wrong_certificate(tmp_path: Path) -> None:
    context, _ = server_context(tmp_path, "localhost")
    with receiver(mail_script(), context) as made:
        attempt = mail.send(server(made.port, "localhost", "me", secure=True), TO, MESSAGE, internal=True)
    assert attempt == Attempt(False, "its certificate cannot be verified")
