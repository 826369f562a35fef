"""Probes of an address: whether a program can listen on it, and whether one does."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import closing
from typing import Any, Final

LOOPBACK: Final = "127.0.0.1"


def taken(address: Any) -> str:
    """Return one sentence on why no program can listen at an address, "" where it can.

    Args:
        address: host and port, or the path of a Unix socket; anything else is a socket that is open already.
    """
    if isinstance(address, str):
        return _path_taken(address)
    return _port_taken(*address[:2]) if isinstance(address, tuple) else ""


def bind_error(host: str, port: int) -> OSError | None:
    """Return the system's reason why no socket can be bound to host and port, None where one can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def _port_taken(host: str, port: int) -> str:
    error = bind_error(host, port)
    if error is None:
        return ""
    in_use = error.errno == errno.EADDRINUSE
    reason = (
        "is taken by another program: stop it or set PORT" if in_use else f"cannot be used: {error.strerror}"
    )
    return f"Address {host} port {port} {reason}"


def _path_taken(path: str) -> str:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return f"Address unix:{path} cannot be used: there is a file that is no socket"
    except FileNotFoundError:
        folder = os.path.dirname(path) or "."
        return (
            ""
            if os.access(folder, os.W_OK)
            else f"Address unix:{path} cannot be used: {folder} is no folder to write to"
        )
    except OSError as error:
        return f"Address unix:{path} cannot be used: {error.strerror}"
    return f"Address unix:{path} is taken by another program: stop it or set BIND" if answers(path) else ""


def answers(address: tuple[str, int] | str) -> bool:
    """Return whether a program listens at host and port, or at a path."""
    family = (
        socket.AF_UNIX
        if isinstance(address, str)
        else socket.AF_INET6
        if ":" in address[0]
        else socket.AF_INET
    )
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.settimeout(0.5)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
