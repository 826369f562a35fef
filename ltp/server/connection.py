"""A client's connection, on which every wait has an end.

A request holds one of the places that all clients share. So waiting for its head, its body and its reader is
counted, and past a deadline the connection is cut: a client that drips or never reads holds a place no longer
than that.
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
SLOWEST: Final = 32_768  # bytes a second: a large answer may take that much longer
_RESET: Final = struct.pack(
    "ii", 1, 0
)  # what an unread answer fills of the kernel's memory goes with the connection


def answer(status: HTTPStatus, sentence: str, *, retry_after_s: int = 0) -> bytes:
    """Return a whole answer that ends its connection, for a request that the application never sees."""
    body = f"{sentence}\n".encode()
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "HX-Reswap: none",  # the page keeps what it shows
        "Connection: close",
    ]
    if retry_after_s:
        head.append(f"Retry-After: {retry_after_s}")
    return "\r\n".join([*head, "", ""]).encode() + body


_TOO_SLOW: Final = answer(
    HTTPStatus.REQUEST_TIMEOUT, f"The body of the request did not come within {BODY_S:.0f} s."
)


class _Bounded:
    """Counts the seconds spent waiting, for a socket of gevent, and cuts it when there are none left.

    An application that sets a timeout on the socket takes the deadlines over: it streams, so its request is
    no longer one that will be finished.

    `peer`: the address it comes from, "" for a Unix socket. `place`: what its client is counted for, None
    while it is not. `only_health`: it has a place that is kept free for health checks. `reading_s`,
    `writing_s`: seconds of waiting left.
    """

    timeout: float | None
    peer = ""
    place: RequestSlot | None = None
    only_health = False
    reading_s = HEAD_S
    writing_s = WRITE_S
    _in_request = False
    _answered = False

    def begin_request(self) -> None:
        """The head is here: from now on the time counts for the body and the answer."""
        self.reading_s, self.writing_s = BODY_S, WRITE_S
        self._in_request, self._answered = True, False

    def end_request(self, idle_s: float) -> None:
        """The answer is written. `idle_s`: how long the rest of the body and the next head may take."""
        self.reading_s, self._in_request = idle_s, False

    def settimeout(self, howlong: float | None) -> None:
        if self.place is not None:
            self.place.leave()
        super().settimeout(howlong)  # type: ignore[misc]

    def sendall(self, data: Any, flags: int = 0) -> Any:
        self._answered = True
        self.writing_s += len(data) / SLOWEST
        return super().sendall(data, flags)  # type: ignore[misc]

    def _wait(self, watcher: Any, **named: Any) -> Any:
        """All of gevent's reads and writes wait here, and only where the kernel has no data or no room."""
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
            raw.shutdown(socket.SHUT_RDWR)  # the application would answer a body that ended early
        except OSError:
            return  # the client left meanwhile


class ClientConnection(_Bounded, gevent.socket.socket):  # type: ignore[misc]
    """A connection without TLS."""

    def send_now(self, data: bytes) -> int:
        """Send what the kernel has room for, without waiting."""
        try:
            sent: int = self._sock.send(data)
        except BlockingIOError:
            return 0
        return sent


class TLSConnection(_Bounded, gevent.ssl.SSLSocket):  # type: ignore[misc]
    """A connection with TLS; its handshake counts as a part of the head."""

    def send_now(self, data: bytes) -> int:
        """TLS cannot stop in the middle of a record, so this waits, no longer than an answer may."""
        sent: int = self.send(data)
        return sent
