"""SMTP_URL and SMTP_FROM."""

from __future__ import annotations

import pytest

from ltp.core.alerts.channel import Secret
from ltp.delivery.mail_server import MailServer, parse
from ltp.errors import ConfigError

FROM = "alerts@example.com"


@pytest.mark.parametrize(
    ("url", "sender", "server"),
    [
        ("smtp://mail.example.com", FROM, MailServer("mail.example.com", 587, False, "", Secret(""), FROM)),
        ("smtp://127.0.0.1:25/", FROM, MailServer("127.0.0.1", 25, False, "", Secret(""), FROM)),
        (
            "smtps://me%40example.com:p%23w@mail.example.com",
            "",
            MailServer("mail.example.com", 465, True, "me@example.com", Secret("p#w"), "me@example.com"),
        ),
    ],
)
def test_accepted(url: str, sender: str, server: MailServer) -> None:
    assert parse(url, sender) == server


def test_without_an_address_there_is_no_server() -> None:
    assert parse("", "") is None


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail.example.com", "smtp://", "smtp://mail.example.com:0"),
        *(
            "smtp://mail.example.com:x",
            "smtp://s3cret@mail.example.com",
            "smtp://me:s3cret#x@mail.example.com",
        ),
        *("smtp://mail.example.com/s3cret", "smtp://mail.example.com?s3cret", "smtp://a b", "smtp://[::1"),
    ],
)
def test_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^SMTP_URL='\*\*\*' is not accepted: an address such as smtp"):
        parse(url, FROM)


@pytest.mark.parametrize("sender", ["", "me", "a@example.com\r\nBcc: b@example.com"])
def test_a_sender_is_needed(sender: str) -> None:
    with pytest.raises(ConfigError, match="SMTP_FROM"):
        parse("smtp://user:pw@mail.example.com", sender)
