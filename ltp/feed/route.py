"""The route to the broker: proxy and TLS within one bound on time, up to the WebSocket handshake."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from urllib.parse import urlsplit

from ltp.feed.dial import Dialer
from ltp.feed.proxy import ask_for_tunnel, proxy_of


class Deadline:
    """Cuts the watched socket when the time is over.

    A socket's timeout starts again with each byte, so a peer that drips them would hold the thread for hours.
    """

    def __init__(self, timeout_s: float) -> None:
        self.at = time.monotonic() + timeout_s
        self._timer = threading.Timer(timeout_s, self._expire)
        self._timer.daemon = True
        self._watched: socket.socket | None = None
        self.passed = False

    @property
    def left_s(self) -> float:
        return max(0.001, self.at - time.monotonic())

    def watch(self, connected: socket.socket) -> None:
        self._watched = connected
        if self.passed:
            cut(connected)

    def close(self) -> None:
        if self._watched is not None:
            self._watched.close()

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _expire(self) -> None:
        self.passed = True
        if self._watched is not None:
            cut(self._watched)


class Route:
    """The addresses and the proxy of one URL. `context` makes the TLS context, called for wss:// only.

    Names are resolved here, before any time is counted: a slow resolver must not use up the time for
    connecting.

    Raises:
        FeedError: the environment names a proxy that cannot be used.
        OSError: the name cannot be resolved, or the certificates cannot be read.
    """

    def __init__(self, url: str, dialer: Dialer, context: Callable[[], ssl.SSLContext]) -> None:
        parts = urlsplit(url)
        self._dialer, self._proxy = dialer, proxy_of(url)
        self._context = context() if parts.scheme == "wss" else None
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._context else 80)
        dialer.resolve(*(self._proxy[:2] if self._proxy else (self._host, self._port)))

    def connect(self, deadline: Deadline) -> socket.socket:
        """Return a socket connected to the broker; `deadline` watches it. Raises FeedError, OSError."""
        connected = self._dialer.dial(deadline.left_s)
        deadline.watch(connected)
        if self._proxy:
            ask_for_tunnel(connected, self._proxy, self._host, self._port, deadline.at)
        if self._context:
            # Watched before the TLS handshake: a slow peer may drag that out too.
            encrypted = self._context.wrap_socket(
                connected, server_hostname=self._host, do_handshake_on_connect=False
            )
            encrypted.settimeout(deadline.left_s)
            deadline.watch(encrypted)
            encrypted.do_handshake()
            connected = encrypted
        connected.settimeout(deadline.left_s)
        return connected


def cut(connected: socket.socket) -> None:
    try:
        # Not the TLS socket's own shutdown: it takes the TLS state from under a thread that is reading.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)
    except OSError:
        pass  # already gone
