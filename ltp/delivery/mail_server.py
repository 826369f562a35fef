"""The address of the mail server in SMTP_URL, and the sender's in SMTP_FROM."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from ltp.core.alerts.channel import MAIL, Secret, checked_target
from ltp.core.setting_text import is_host
from ltp.errors import ConfigError, InputError

_PORTS: Final = {"smtp": 587, "smtps": 465}
_ACCEPTED: Final = (
    "an address such as smtp://user:password@mail.example.com:587 or smtps://user:password@mail.example.com; "
    "in a user or password write # as %23, / as %2F, ? as %3F and @ as %40"
)


class MailServer(NamedTuple):
    """`secure`: TLS from the first byte; else STARTTLS. `user`: "" for a server without log-in. `sender`: the
    address that messages come from.
    """

    host: str
    port: int
    secure: bool
    user: str
    password: Secret
    sender: str


def parse(url: str, sender: str) -> MailServer | None:
    """Return the mail server, None where none is set.

    Raises:
        ConfigError: names the setting; the address is not quoted.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused() from None
    rest = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not is_host(host) or port == 0 or rest or not url.isprintable():
        raise _refused()
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise _refused()
    secure = parts.scheme == "smtps"
    return MailServer(
        host, port or _PORTS[parts.scheme], secure, user, Secret(password), _sender(sender, user)
    )


def _sender(sender: str, user: str) -> str:
    """Return the sender's address: SMTP_FROM, else the user where that is an address."""
    try:
        return checked_target(MAIL, sender or user, internal=False)
    except InputError:
        accepted = "with SMTP_URL it must be set to one mail address such as alerts@example.com"
        raise ConfigError("SMTP_FROM", sender, accepted) from None


def _refused() -> ConfigError:
    return ConfigError("SMTP_URL", "***", _ACCEPTED)
