"""A channel: where firings are sent to outside of the pages. Its target is a secret, shown masked only."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ltp.core.alerts.peers import is_internal_name
from ltp.core.setting_text import is_host
from ltp.errors import InputError

WEBHOOK, MAIL, SERVICE = "webhook", "mail", "apprise"
KINDS: Final = (WEBHOOK, MAIL, SERVICE)
MAX_CHANNELS: Final = 50
MAX_NAME: Final = 60  # characters
MAX_TARGET: Final = 500
MAX_SECRET: Final = 200
PER_MINUTE: Final = 10
MOST_PER_MINUTE: Final = 60

# The services of apprise that a channel may name: those that take messages over HTTPS. Others of its schemes
# reach files, programs, the desktop, or any host by a request that the address shapes.
SERVICES: Final = {
    "discord": "Discord",
    "gchat": "Google Chat",
    "gotifys": "Gotify",
    "mailgun": "Mailgun",
    "matrixs": "Matrix",
    "mmosts": "Mattermost",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "pbul": "Pushbullet",
    "pover": "Pushover",
    "rockets": "Rocket.Chat",
    "slack": "Slack",
    "tgram": "Telegram",
    "workflows": "Microsoft Teams",
}
# Their forms without encryption, for servers of the own network.
_PLAIN: Final = {"gotify": "Gotify", "matrix": "Matrix", "mmost": "Mattermost", "rocket": "Rocket.Chat"}
# Others turn off the check of certificates, follow redirects, attach files or repeat the call.
_OPTIONS: Final = frozenset({"priority", "sound", "thread", "topic"})
_LOCAL_PART: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII
)
_TAIL: Final = 4  # last characters that are shown, of a target that is long enough
_LONG: Final = 16


class Secret:
    """A text that no log, page, export or error shows: only `reveal` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "***" if self._text else ""

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class Channel(NamedTuple):
    """`kind`: one of KINDS. `target`: a web address, a mail address or an address of apprise. `secret`: signs the
    messages of a webhook, empty for none. `per_minute`: more messages than that in a minute are sent as one.
    """

    id: int
    name: str
    kind: str
    target: Secret
    secret: Secret
    is_on: bool
    per_minute: int

    @property
    def masked(self) -> str:
        return masked(self.kind, self.target)


def masked(kind: str, target: Secret) -> str:
    """Return as much of a target as a person needs to know it again: "https://hooks.example.com/…ab12"."""
    text = target.reveal()
    if kind == MAIL:
        return f"{text[:1]}…@{text.rpartition('@')[2]}"
    scheme, _, hidden = text.partition("://")
    shown = f"{scheme}://"
    if kind == WEBHOOK:  # the host of a service may be its token
        parts = urlsplit(text)
        shown, hidden = f"{scheme}://{parts.netloc}/", text.partition(parts.netloc)[2].lstrip("/")
    return f"{shown}…{hidden[-_TAIL:] if len(hidden) >= _LONG else ''}" if hidden else shown


def service_title(target: Secret) -> str:
    """Return the name of the service that an address of apprise names, its scheme for an unknown one."""
    scheme = target.reveal().partition("://")[0].lower()
    return (SERVICES | _PLAIN).get(scheme, scheme)


def checked_name(text: str) -> str:
    """Return a name with single spaces. Raises InputError."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise InputError("name", text, f"a name is 1 to {MAX_NAME} printable characters")
    return name


def checked_secret(kind: str, text: str) -> str:
    """Return the key that signs messages, "" for none. Raises InputError without the text."""
    secret = text.strip()
    if secret and kind != WEBHOOK:
        raise InputError("secret", "***", "only messages to a webhook are signed; leave it out")
    if len(secret) > MAX_SECRET or not (secret.isascii() and secret.isprintable()):
        raise InputError("secret", "***", f"a secret is up to {MAX_SECRET} printable ASCII characters")
    return secret


def checked_target(kind: str, text: str, *, internal: bool) -> str:
    """Return a target without spaces around it.

    Args:
        internal: whether internal addresses, and connections without encryption, are allowed.
    Raises:
        InputError: it is not accepted; the sentence does not quote it.
    """
    if kind not in KINDS:
        raise InputError("kind", kind, f"it is {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    target = text.strip()
    if len(target) > MAX_TARGET or not target.isascii() or not target.isprintable() or " " in target:
        raise _refused(f"a target is up to {MAX_TARGET} printable ASCII characters without spaces")
    fault = {WEBHOOK: _webhook_fault, MAIL: _mail_fault, SERVICE: _service_fault}[kind](target, internal)
    if fault:
        raise _refused(fault)
    return target


def _refused(accepted: str) -> InputError:
    return InputError("target", "***", accepted)


def _webhook_fault(target: str, internal: bool) -> str:
    parts, accepted = _split(target), "a webhook is an address such as https://hooks.example.com/path"
    if parts is None or parts.scheme not in {"http", "https"} or not _has_port(parts):
        return accepted
    if not is_host(parts.hostname or ""):
        return accepted
    if parts.username is not None or parts.password is not None or parts.fragment:
        return f"{accepted}, without a user, a password and a part behind #"
    if internal:
        return ""
    if parts.scheme == "http":
        return f"{accepted}; without encryption only where ALERTS_ALLOW_INTERNAL is true"
    return _internal_fault(parts)


def _mail_fault(target: str, _internal: bool) -> str:
    local, _, host = target.rpartition("@")
    named = len(target) <= 254 and len(local) <= 64 and _LOCAL_PART.fullmatch(local)
    if not named or not is_host(host) or "." not in host.strip(".") or host.replace(".", "").isdigit():
        return "it is one mail address such as name@example.com"
    return ""


def _service_fault(target: str, internal: bool) -> str:
    parts = _split(target)
    scheme = parts.scheme if parts else ""
    if parts is None or not (parts.netloc or parts.path.strip("/")):
        return "an address of apprise is such as tgram://TOKEN/CHAT"
    if scheme not in SERVICES and scheme not in _PLAIN:
        return f"the service is one of {', '.join(SERVICES)}"
    # apprise reads & as a separator even without a question mark.
    options = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if options - _OPTIONS or "&" in parts.fragment or "?" in parts.fragment:
        return f"options behind ? are {', '.join(sorted(_OPTIONS))}"
    if internal:
        return ""
    if scheme in _PLAIN or (scheme == "ntfy" and parts.path.strip("/")):
        return f"{scheme}s:// is encrypted; {scheme}:// only where ALERTS_ALLOW_INTERNAL is true"
    return _internal_fault(parts)


def _internal_fault(parts: SplitResult) -> str:
    if is_internal_name(parts.hostname or ""):
        return "its host is inside of this network; only ALERTS_ALLOW_INTERNAL=true allows that"
    return ""


def _split(target: str) -> SplitResult | None:
    try:
        return urlsplit(target) if "://" in target else None
    except ValueError:  # brackets that do not match
        return None


def _has_port(parts: SplitResult) -> bool:
    """Return whether the port is one, or left out."""
    try:
        return parts.port != 0
    except ValueError:
        return False
