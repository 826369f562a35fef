"""A client's connection, on which every wait has an end.

A request holds one of the places that all clients share. So the time of waiting for its head, for its body
and for the client to read the answer is counted, and past a deadline the connection is cut: a client that
drips or never reads holds a place no longer than that.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from http import HTTPStatus
from typing import Any, Final

import gevent.socket
import gevent.ssl

from ltp import metrics
from ltp.core.clients.unfinished import RequestSlot

HEAD_S: Final = 10.0  # the TLS handshake included
BODY_S: Final = 10.0
WRITE_S: Final = 10.0
SLOWEST: Final = 32_768  # bytes a second that a client must read; a large answer gets so much more time
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: closing frees the kernel's memory of an unread answer


def answer(status: HTTPStatus, sentence: str, *, retry_after_s: int = 0) -> bytes:
    """Return a whole answer that ends its connection, for a request that never reaches the application."""
    body = f"{sentence}\n".encode()
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "HX-Reswap: none",  # the page keeps its content
        "Connection: close",
    ]
    if retry_after_s:
        head.append(f"Retry-After: {retry_after_s}")
    return "\r\n".join([*head, "", ""]).encode() + body


_TOO_SLOW: Final = answer(
    HTTPStatus.REQUEST_TIMEOUT, f"The body of the request did not come within {BODY_S:.0f} s."
)


class _Bounded:
    """A gevent socket that counts the seconds spent waiting and is cut when none are left.

    An application that sets a timeout on the socket takes over the deadlines: it streams, so its request will
    never be finished and is no longer counted.

    `peer`: the address it comes from, "" for a Unix socket. `slot`: the counted request of its client, None
    while it is not counted. `only_health`: it has a place that is kept free for health checks. `reading_s`,
    `writing_s`: seconds of waiting left.
    """

    timeout: float | None
    peer = ""
    slot: RequestSlot | None = None
    only_health = False
    reading_s = HEAD_S
    writing_s = WRITE_S
    _in_request = False
    _answered = False

    def begin_request(self) -> None:
        """Start the time for the body and the answer: the head is here."""
        self.reading_s, self.writing_s = BODY_S, WRITE_S
        self._in_request, self._answered = True, False

    def end_request(self, idle_s: float) -> None:
        """Start the time for the rest of the body and the next head, `idle_s`: the answer is written."""
        self.reading_s, self._in_request = idle_s, False

    def settimeout(self, howlong: float | None) -> None:
        if self.slot is not None:
            self.slot.leave()
        super().settimeout(howlong)  # type: ignore[misc]

    def sendall(self, data: Any, flags: int = 0) -> Any:
        self._answered = True
        self.writing_s += len(data) / SLOWEST
        return super().sendall(data, flags)  # type: ignore[misc]

    def _wait(self, watcher: Any, **named: Any) -> Any:
        """Wait with a deadline. All of gevent's reads and writes wait here, and only without data or room."""
        if self.timeout is not None:
            return super()._wait(watcher, **named)  # type: ignore[misc]
        reading = watcher is self._read_event  # type: ignore[attr-defined]
        began = time.monotonic()
        self.timeout = max(self.reading_s if reading else self.writing_s, 0.001)
        try:
            return super()._wait(watcher, **named)  # type: ignore[misc]
        except TimeoutError:
            self._cut(reading)
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow") from None
        finally:
            self.timeout = None
            waited = time.monotonic() - began
            if reading:
                self.reading_s -= waited
            else:
                self.writing_s -= waited

    def _cut(self, reading: bool) -> None:
        raw: Any = self._sock  # type: ignore[attr-defined]
        try:
            if not reading:
                metrics.count("requests_cut.unread")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            metrics.count("requests_cut.body" if self._in_request else "requests_cut.head")
            if self._in_request and not self._answered and not isinstance(self, gevent.ssl.SSLSocket):
                raw.send(_TOO_SLOW)
            raw.shutdown(socket.SHUT_RDWR)  # else the application would answer a body that ended early
        except OSError:
            return  # the client left meanwhile


class ClientConnection(_Bounded, gevent.socket.socket):  # type: ignore[misc]
    """A connection without TLS."""

    def send_now(self, data: bytes) -> int:
        """Send as many bytes as the kernel has room for, without waiting; return their number."""
        try:
            sent: int = self._sock.send(data)
        except BlockingIOError:
            return 0
        return sent


class TLSConnection(_Bounded, gevent.ssl.SSLSocket):  # type: ignore[misc]
    """A connection with TLS; its handshake counts as a part of the head."""

    def send_now(self, data: bytes) -> int:
        """Send within the time of an answer: TLS cannot stop in the middle of a record, so this may wait."""
        sent: int = self.send(data)
        return sent
