"""One browser's descriptor: socket options, unread input, and the reason why its connection ended."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, Final

# Without it the kernel buffers 3.9 MB for a browser that reads nothing, and hides the stall.
_NOT_SENT_MAX: Final = 16_384
_REASONS: Final = {
    errno.EPIPE: "left",
    errno.ECONNRESET: "left",
    errno.ETIMEDOUT: "vanished",
    errno.EHOSTUNREACH: "vanished",
    errno.ENETUNREACH: "vanished",
}


def take_over(connection: Any, user_timeout_s: float) -> int:
    """Detach the descriptor from a request's socket; closing that socket is harmless from then on."""
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT_MAX),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(user_timeout_s * 1000)),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ):
        try:
            connection.setsockopt(level, option, value)
        except OSError:  # a Unix socket behind a proxy has no TCP options
            continue
    fd: int = connection.detach()
    os.set_blocking(fd, False)
    return fd


def discard_input(fd: int) -> str:
    """Read and drop bytes sent after the request; return the reason if the connection has ended, else ""."""
    try:
        while chunk := os.read(fd, 4096):
            if len(chunk) < 4096:
                return ""
    except BlockingIOError:
        return ""
    except OSError as error:
        return end_reason(error.errno or 0)
    return "left"


def end_reason(number: int) -> str:
    """Return the reason for an error number of a write or read: left, vanished or failed."""
    return _REASONS.get(number, "failed")
