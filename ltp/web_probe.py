"""The web server's address as this machine reaches it, and probes of it before and after its start."""

from __future__ import annotations

import errno
import socket
from http.client import HTTPConnection, HTTPException
from typing import Final

from ltp.errors import ConfigError
from ltp.server import listening
from ltp.server.listening import LOOPBACK
from ltp.settings import Settings

_ANSWER_WITHIN_S: Final = 2.0


def page_address(settings: Settings) -> str:
    """Return the address of the first page, for a person to open; of a Unix socket its name."""
    if settings.bind_path:
        return settings.bind
    host = _host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/screeners/swing"


def refuse_taken(settings: Settings) -> None:
    """Raise ConfigError when the web server cannot listen at its address."""
    host, port = settings.bind, settings.port
    if settings.bind_path:
        if reason := listening.taken(settings.bind_path):
            raise ConfigError("BIND", host, f"{reason[0].lower()}{reason[1:]}")
        return
    error = listening.bind_error(host, port)
    if error is None:
        return
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        raise ConfigError("BIND", host, f"it must be an address of this machine ({error.strerror})")
    raise ConfigError(
        "PORT", str(port), f"{host}:{port} cannot be listened on ({error.strerror}); choose another"
    )


def status(settings: Settings, path: str) -> int:
    """Return the HTTP status of a GET of `path`, 0 without an answer."""
    connection = HTTPConnection(LOOPBACK, settings.port, timeout=_ANSWER_WITHIN_S)
    try:
        connection.sock = _connected(settings)
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def _connected(settings: Settings) -> socket.socket:
    if not settings.bind_path:
        return socket.create_connection((_host(settings), settings.port), timeout=_ANSWER_WITHIN_S)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(_ANSWER_WITHIN_S)
    try:
        made.connect(settings.bind_path)
    except OSError:
        made.close()
        raise
    return made


def _host(settings: Settings) -> str:
    return LOOPBACK if settings.bind in {"0.0.0.0", "::"} else settings.bind
