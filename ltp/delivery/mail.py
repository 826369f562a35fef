"""A message as a mail in plain text, over the operator's mail server."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.policy import SMTP as LINES
from email.utils import formatdate
from typing import Any, Final

from ltp.core.alerts.channel import Channel
from ltp.core.alerts.delivery import Attempt, failed, refused, sent
from ltp.core.alerts.message import Message, subject, text
from ltp.core.alerts.peers import is_internal_name
from ltp.delivery import failures
from ltp.delivery.connect import Call, connect
from ltp.delivery.mail_server import MailServer
from ltp.delivery.webhook import tls

WITHIN_S: Final = 15.0  # a server may take some seconds to look at a sender
_WAIT_S: Final = 10.0
_READY: Final = 220
_UNSAFE: Final = "it offers no encryption, and a password would be readable"


def send(
    server: MailServer, channel: Channel, message: Message, *, internal: bool, within_s: float = WITHIN_S
) -> Attempt:
    """Send a message; never raises for a fault of the server.

    Args:
        internal: whether a server with an internal address is allowed.
    """
    to = channel.target.reveal()
    with Call(within_s) as call:
        client = (_Secure if server.secure else _Plain)(server, internal)
        try:
            _begin(client, server)
            client.sendmail(server.sender, [to], mail_of(server, to, message))
            _leave(client)
        except smtplib.SMTPException as error:
            return _refusal(call, error)
        except OSError as error:
            return failures.of_call(call, error)
        finally:
            client.close()
        return sent("accepted with status 250", 250)


def mail_of(server: MailServer, to: str, message: Message) -> bytes:
    """Return the mail as it is sent. Its Message-ID is the same at each try."""
    mail = EmailMessage(policy=LINES)
    mail["From"], mail["To"], mail["Subject"] = server.sender, to, subject(message)
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{message.id}@{_domain(server)}>"
    mail["Idempotency-Key"] = message.id
    mail["Auto-Submitted"] = "auto-generated"  # so that no holiday notice answers
    mail.set_content(f"{text(message)}\n", cte="base64")
    return mail.as_bytes()


def _begin(client: smtplib.SMTP, server: MailServer) -> None:
    """Greet, encrypt and log in. A server of this machine may have a certificate that nobody signed."""
    code, words = client.connect(server.host, server.port)
    if code != _READY:
        raise smtplib.SMTPConnectError(code, words)
    client.ehlo_or_helo_if_needed()
    trusted = not server.user and is_internal_name(server.host)
    if not server.secure and not trusted and client.has_extn("starttls"):
        client.starttls(context=tls())
    elif server.user and not server.secure:
        raise smtplib.SMTPNotSupportedError(_UNSAFE)
    if server.user:
        client.login(server.user, server.password.reveal())


def _leave(client: smtplib.SMTP) -> None:
    try:
        client.quit()
    except (smtplib.SMTPException, OSError):
        return  # the server has the message


def _refusal(call: Call, error: smtplib.SMTPException) -> Attempt:
    """Return the failure that the server named. Its words are left out: they may quote the address."""
    code = _code(error)
    if code is None:
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return refused(_UNSAFE if _UNSAFE in str(error) else "it lacks a command that is needed")
        return failures.of_call(call, ConnectionError())
    part = " the log-in" if isinstance(error, smtplib.SMTPAuthenticationError) else ""
    if 500 <= code < 600:
        return refused(f"refused{part} with status {code}", code)
    return failed(f"put off{part} with status {code}", code)


def _code(error: smtplib.SMTPException) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return int(next(iter(error.recipients.values()))[0])
    code = getattr(error, "smtp_code", None)
    return int(code) if isinstance(code, int) and code > 0 else None


def _domain(server: MailServer) -> str:
    return server.sender.rpartition("@")[2]


class _Plain(smtplib.SMTP):
    def __init__(self, server: MailServer, internal: bool) -> None:
        # Without a name, the resolver would be asked for that of this machine.
        super().__init__(local_hostname=_domain(server), timeout=_WAIT_S)
        self._internal = internal
        self._host = server.host  # the name that TLS expects in the certificate

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return connect(host, port, internal=self._internal, timeout_s=timeout)


class _Secure(_Plain):
    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        return tls().wrap_socket(super()._get_socket(host, port, timeout), server_hostname=host)
