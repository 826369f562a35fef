"""Connections to receivers: the name is resolved once, the peer's address is checked, and the whole call has an end.

A name that is public at its check and internal at its use (DNS rebinding) is no way in, because the socket connects
to the address that was checked.
"""

from __future__ import annotations

import socket
import threading
import time
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Final

from ltp.core.alerts.peers import is_internal

CONNECT_S: Final = 3.0
_MAX_ADDRESSES: Final = 4  # of a name that are tried
_current: ContextVar[Call | None] = ContextVar("call", default=None)


class InternalPeerError(OSError):
    """The receiver is inside of this network, and that is not allowed."""


class Call:
    """A context in which all connections end after `within_s`, whatever the receiver does.

    A timeout of a socket bounds each wait alone, and a receiver that sends a byte a second passes it for ever.
    Attributes:
        passed: whether the time was over.
        refused: whether a receiver was internal.
    """

    def __init__(self, within_s: float) -> None:
        self._until, self.passed, self.refused = time.monotonic() + within_s, False, False
        self._lock, self._sockets = threading.Lock(), list[socket.socket]()
        self._timer = threading.Timer(within_s, self._cut)
        self._timer.daemon = True
        self._token: Token[Call | None] | None = None

    @property
    def left_s(self) -> float:
        return max(0.01, self._until - time.monotonic())

    def hold(self, connected: socket.socket) -> None:
        """Have a connection end with the call. Its copy survives that TLS takes the socket over."""
        copy = connected.dup()
        with self._lock:
            self._sockets.append(copy)
        if self.passed:
            self._cut()

    def __enter__(self) -> Call:
        self._timer.start()
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._token is not None:
            _current.reset(self._token)
        with self._lock:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def _cut(self) -> None:
        self.passed = True
        with self._lock:
            for each in self._sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the receiver has closed it


def connect(host: str, port: int, *, internal: bool, timeout_s: float = CONNECT_S) -> socket.socket:
    """Connect to a receiver, inside of a `Call` only.

    Args:
        internal: whether internal addresses are allowed.
        timeout_s: for each address of the name, and for each later wait on the socket.
    Raises:
        InternalPeerError: one of the addresses, or the peer, is internal.
        OSError: there is no such name, or no address accepts.
    """
    call = _current.get()
    if call is None:
        raise RuntimeError("a connection to a receiver needs a Call that ends it")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:_MAX_ADDRESSES]
    if not internal and any(is_internal(str(address[0])) for *_, address in found):
        raise _refused(call)
    failure: OSError = OSError(f"{len(found)} addresses")
    for family, kind, protocol, _, address in found:
        connected = socket.socket(family, kind, protocol)
        try:
            connected.settimeout(min(timeout_s, call.left_s))
            connected.connect(address)
            _check_peer(call, connected.getpeername(), internal)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            call.hold(connected)
            return connected
        except OSError as error:
            connected.close()
            failure = error
            if isinstance(error, InternalPeerError):
                break
    raise failure


def _check_peer(call: Call, peer: Any, internal: bool) -> None:
    """The address was checked before; this holds also if a change between here and there forgets one."""
    if not internal and is_internal(str(peer[0])):
        raise _refused(call)


def _refused(call: Call) -> InternalPeerError:
    call.refused = True
    return InternalPeerError("the receiver is inside of this network")
