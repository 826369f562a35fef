"""One WebSocket connection to the broker: handshake, reading in big chunks, pings, close.

websocket-client makes the handshake over a socket that `route` connected; after it the socket is read and
written here. One thread uses a client; only `abort` may be called from another. Knows no subscription, no
packet and no second attempt. The access token travels in the URL, so no exception of this module quotes a
URL, a header or a body of the broker's.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import websocket

from ltp import metrics
from ltp.core.backoff import parse_retry_after
from ltp.dhan import requests
from ltp.errors import FeedAuthError, FeedClosed, FeedError
from ltp.feed import frames
from ltp.feed.credentials import Credentials
from ltp.feed.dial import Dialer
from ltp.feed.frames import MessageBlock
from ltp.feed.route import Deadline, Route, cut

CHUNK: Final = 65_536  # a thousand prices a system call; more only costs memory that is cleared for each read
# Unread bytes wait until the reader has rested once more, so one read must take all bytes of one rest.
AT_ONCE: Final = 1 << 20
CONNECT_TIMEOUT_S: Final = 5.0
SEND_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 1.0  # a pong finds no room in the socket's buffer only when the peer does not read
_NORMAL: Final = 1000


def open_client(dialer: Dialer, url: str, credentials: Credentials) -> FeedClient:
    """Return a client that is connected to `url` with the present credentials. Raises as `FeedClient.connect`."""
    client = FeedClient(dialer)
    client.connect(url, *credentials.use(), CONNECT_TIMEOUT_S)
    return client


class FeedClient:
    """`bytes_read` and `frames_read` only rise; `half_read`: a frame has begun and its end has not come.

    `dialer`: shared by all clients of one broker, because it remembers which of its addresses failed.
    """

    def __init__(self, dialer: Dialer | None = None) -> None:
        self._dialer = dialer or Dialer()
        self._socket: socket.socket | None = None
        self._walker = frames.FrameWalker()
        self._ended: FeedClosed | None = None
        self._encrypted = False
        self.bytes_read = 0

    @property
    def frames_read(self) -> int:
        return self._walker.frames

    @property
    def half_read(self) -> bool:
        return self._walker.half_read

    def connect(self, url: str, client_id: str, token: str, connect_timeout_s: float) -> None:
        """Open the connection to `url`, an address without a query.

        Raises:
            FeedAuthError: HTTP 401 or 403. FeedError: no connection, or another HTTP status in `code` with
                `retry_after_s` where the broker named one.
        """
        host = urlsplit(url).hostname
        try:
            route = Route(url, self._dialer, _tls_context)
            with Deadline(connect_timeout_s) as deadline:
                self._open(route, f"{url}?{requests.log_in(client_id, token)}", deadline)
        except (websocket.WebSocketException, OSError, ValueError) as error:
            raise FeedError(f"{host}: {_sentence(error)}") from None

    def _open(self, route: Route, url: str, deadline: Deadline) -> None:
        try:
            connected = route.connect(deadline)
            opening: Any = websocket.WebSocket()
            # No redirects: one would send the token to a host that is not configured.
            opening.connect(url, socket=connected, redirect_limit=0)
        except websocket.WebSocketBadStatusException as error:
            deadline.close()
            raise _refusal(error) from None
        except BaseException:
            deadline.close()
            self._dialer.distrust()
            if deadline.passed:
                raise TimeoutError from None
            raise
        self._socket = connected
        self._encrypted = isinstance(connected, ssl.SSLSocket)

    def read(self, timeout_s: float) -> list[bytes | MessageBlock]:
        """Return all binary messages that came, none after `timeout_s` without one. Answers pings.

        Raises:
            FeedClosed: the connection ended; `code` is that of the close frame, 0 when there was none.
        """
        self._check_open()
        chunk = self._chunk(timeout_s)
        if len(chunk) == CHUNK or (chunk and self._encrypted):
            chunk = b"".join((chunk, *self._more(AT_ONCE - len(chunk))))
        self.bytes_read += len(chunk)
        texts, messages = self._walker.texts, self._walker.feed(chunk)
        if self._walker.texts != texts:
            metrics.count("feed_frames.text", self._walker.texts - texts)
        if self._walker.control or self._walker.fault is not None:
            self._answer_control()
        if not messages:
            self._check_open()  # else at the next read, after the messages that came before the end
        return messages

    def _more(self, enough: int) -> Iterator[bytes]:
        """Yield the bytes that have come meanwhile, about `enough` of them.

        TLS returns one record per receive, and most records hold one price.
        """
        while enough > 0 and (chunk := self._chunk(0.0)):
            enough -= len(chunk)
            yield chunk

    def _chunk(self, timeout_s: float) -> bytes:
        """Return some bytes; none when none came in time or, with `_ended` set, the connection ended."""
        try:
            connected = self._connected()
            if connected.gettimeout() != timeout_s:  # setting it is a system call
                connected.settimeout(timeout_s)
            # A plain receive with a timeout, never select: TLS may hold bytes back that select cannot see.
            chunk = connected.recv(CHUNK)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return b""
        except OSError as error:
            self._end(f"The connection broke: {_sentence(error)}")
            return b""
        if not chunk:
            self._end("The broker dropped the connection without a close frame")
        return chunk

    def send(self, text: str) -> None:
        """Send one text message.

        Raises:
            FeedClosed: it could not be written within SEND_TIMEOUT_S.
        """
        self._write(frames.TEXT, text.encode(), SEND_TIMEOUT_S)

    def ping(self) -> None:
        """Send a ping: `bytes_read` rises when the broker answers it. Raises FeedClosed as `send` does."""
        self._write(frames.PING, b"", SEND_TIMEOUT_S)

    def close(self, timeout_s: float) -> None:
        """Exchange close frames and close the socket, in all within `timeout_s`. Never raises."""
        if self._socket is None:
            return
        deadline = time.monotonic() + timeout_s
        try:
            self._write(frames.CLOSE, struct.pack("!H", _NORMAL), timeout_s)
            while self._ended is None and (left_s := deadline - time.monotonic()) > 0:
                self.read(left_s)
        except FeedClosed:
            pass  # it has ended already
        self.abort()
        self._socket.close()
        self._socket = None

    def abort(self) -> None:
        """Cut the connection now, from any thread: a read or write under way raises FeedClosed."""
        connected = self._socket
        if connected is not None:
            cut(connected)

    def _answer_control(self) -> None:
        control, self._walker.control = self._walker.control, []
        for opcode, payload in control:
            if opcode == frames.PING:
                self._write_if_possible(frames.PONG, payload)
            elif opcode == frames.CLOSE:
                self._write_if_possible(frames.CLOSE, payload[:2])
                code = frames.close_code(payload)
                self._end(f"The broker closed the connection (WebSocket code {code})", code)
                return
        if self._walker.fault is not None:
            code, sentence = self._walker.fault
            self._write_if_possible(frames.CLOSE, struct.pack("!H", code))
            self._end(sentence, code)

    def _write_if_possible(self, opcode: int, payload: bytes) -> None:
        try:
            self._write(opcode, payload, ANSWER_TIMEOUT_S)
        except FeedClosed:
            pass  # the next read raises it, after the messages that came before

    def _write(self, opcode: int, payload: bytes, timeout_s: float) -> None:
        self._check_open()
        try:
            connected = self._connected()
            connected.settimeout(timeout_s)
            connected.sendall(frames.encode(opcode, payload, os.urandom(4)))
        except OSError as error:
            # Part of the frame may be out, so nothing more can be sent on this connection.
            raise self._end(f"Writing to the broker failed: {_sentence(error)}") from None

    def _check_open(self) -> None:
        if self._ended is not None:
            raise self._ended

    def _end(self, sentence: str, code: int = 0) -> FeedClosed:
        self._ended = FeedClosed(sentence, code)
        return self._ended

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise FeedClosed("The connection is closed")
        return self._socket


def _tls_context() -> ssl.SSLContext:
    try:
        return ssl.create_default_context()
    except OSError as error:
        # Of the files it reads only these two can fail; a missing SSL_CERT_FILE is ignored.
        reason = error.strerror or type(error).__name__
        raise FeedError(
            f"TLS cannot be started with the files of SSLKEYLOGFILE or SSL_CERT_FILE: {reason}"
        ) from None


def _refusal(error: websocket.WebSocketBadStatusException) -> FeedError:
    status = int(error.status_code)
    retry_after_s = parse_retry_after((error.resp_headers or {}).get("retry-after", ""), time.time())
    kind = FeedAuthError if status in (401, 403) else FeedError
    return kind(f"The broker refused the connection with HTTP {status}", status, retry_after_s=retry_after_s)


def _sentence(error: Exception) -> str:
    """Describe a failure in words that cannot hold the URL: our own, or the operating system's."""
    if isinstance(error, (TimeoutError, websocket.WebSocketTimeoutException)):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, socket.gaierror):
        return "the name cannot be resolved"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the handshake failed ({type(error).__name__})"
