"""The address in REDIS_URL: server, user and password, and trust in its certificate.

No other option is accepted: the product sets these itself, and an option of the address would override it.
"""

from __future__ import annotations

import inspect
import os
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import redis
from redis.connection import URL_QUERY_ARGUMENT_PARSERS, parse_url

from ltp.core.setting_text import is_host
from ltp.errors import ConfigError

ACCEPTED: Final = "an address such as redis://localhost:6379/0, rediss://user:password@host/0 or unix:///run/redis.sock?db=0"
_ENCODED: Final = "in a user or password write # as %23, / as %2F, ? as %3F and @ as %40"
_OPTIONS: Final = ("db", "username", "password", "client_name")
_TLS_OPTIONS: Final = (
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
)
_WORDS: Final = {"ssl_cert_reqs": ("required", "optional", "none"), "ssl_check_hostname": ("true", "false")}
_OF_LIBRARY: Final = {*inspect.signature(redis.Redis).parameters, *URL_QUERY_ARGUMENT_PARSERS}
_FILES: Final = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


def options_of(url: str) -> dict[str, Any]:
    """Return the arguments of redis-py's connection pool.

    Raises:
        ConfigError: `url` is no address, or sets an option that it may not.
    """
    fault = _fault(url)
    if fault:
        raise refused(url, fault)
    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return options


def refused(url: str, accepted: str) -> ConfigError:
    scheme, separator, _ = url.partition("://")
    # Nothing but the scheme is shown: in a malformed address, the password may stand anywhere.
    return ConfigError("REDIS_URL", f"{scheme}://***" if separator and scheme.isalpha() else "***", accepted)


def _fault(url: str) -> str:
    if not url.isprintable() or " " in url:
        return f"{ACCEPTED}, without spaces and line ends"
    if "#" in url:
        return f"it has no part behind a #; {_ENCODED}"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return f"{ACCEPTED}; {_ENCODED}"
    path = parts.path.strip("/")
    if parts.scheme not in {"redis", "rediss", "unix"} or not url.startswith(f"{parts.scheme}://"):
        return ACCEPTED
    if parts.scheme == "unix":
        if host or not path:
            return "a socket is written unix:///run/redis.sock, with three strokes before its path"
    elif port == 0 or (host and not is_host(host)) or (path and not _is_number(path)):
        return f"{ACCEPTED}; {_ENCODED}"
    return _option_fault(parse_qsl(parts.query, keep_blank_values=True), parts.scheme, path)


def _option_fault(pairs: list[tuple[str, str]], scheme: str, path: str) -> str:
    names = [name for name, _ in pairs]
    allowed = _OPTIONS + (_TLS_OPTIONS if scheme == "rediss" else ())
    for name, value in pairs:
        if name in _TLS_OPTIONS and name not in allowed:
            return f"{name} needs an address that begins with rediss://"
        if name not in allowed:
            # Part of an unencoded password may look like an option's name.
            shown = name if name in _OF_LIBRARY else "an unknown option behind the ?"
            return f"{shown} is not allowed in an address; {', '.join(allowed)} are"
        if names.count(name) > 1 or (name == "db" and path and scheme != "unix"):
            return f"{name} is given twice"
        if name == "db" and not _is_number(value):
            return "db is a whole number from 0"
        if name in _WORDS and value not in _WORDS[name]:
            return f"{name} is {', '.join(_WORDS[name][:-1])} or {_WORDS[name][-1]}"
        if name in _FILES and not os.access(value, os.R_OK):
            return f"{name} must name a readable file or folder, and {value} is not readable"
    return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6
