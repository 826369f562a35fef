"""One listening socket of a web process: places for its connections, some for health checks only."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from gevent.pool import Pool
from gevent.server import StreamServer

from ltp import metrics
from ltp.core.clients.client_address import TrustedProxies, client_of
from ltp.core.clients.unfinished import UnfinishedRequests
from ltp.server.connection import ClientConnection, answer

SPARE: Final = 100  # further places, where only health is answered
CROWDED_S: Final = 1.0  # for a head or a pause between requests while only these are left
# Connections accepted in one turn of the loop. gevent's hundred would keep the relay and the writer waiting.
_ACCEPTED: Final = 2
# Unsent bytes that the kernel takes of us: else it takes 4 MB for a client that reads nothing.
_NOT_SENT_MAX: Final = 131_072
TOO_MANY: Final = answer(
    HTTPStatus.TOO_MANY_REQUESTS, "Too many requests of this client are unfinished.", retry_after_s=5
)


class Listener(StreamServer):  # type: ignore[misc]
    """Gives each connection a place and counts it for its client while `serve(connection, address)` runs.

    Args:
        places: connections at a time, `SPARE` for health checks apart.
        only_health: every place is for health checks.
    """

    max_accept = _ACCEPTED

    def __init__(
        self,
        listener: Any,
        serve: Callable[[Any, Any], None],
        unfinished: UnfinishedRequests,
        proxies: TrustedProxies,
        *,
        places: int,
        only_health: bool,
        **tls: Any,
    ) -> None:
        self._serve, self._unfinished, self._proxies = serve, unfinished, proxies
        self._places, self._only_health = places, only_health
        if listener.family != socket.AF_UNIX:
            # Each connection inherits it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT_MAX)
        super().__init__(listener, spawn=Pool(places + SPARE), **tls)

    @property
    def crowded(self) -> bool:
        """Whether all places but those for health checks are taken."""
        return not self._only_health and len(self.pool) >= self._places

    def do_read(self) -> Any:
        accepted = super().do_read()
        if accepted is None:
            return None
        plain, address = accepted
        connection = ClientConnection(plain.family, plain.type, plain.proto, fileno=plain.detach())
        # Decided now and not in the connection's greenlet: by then later ones have taken places too.
        connection.only_health = self._only_health or self.crowded
        return connection, address

    def handle(self, connection: Any, address: Any) -> None:
        self._admit(connection, address, lambda: connection)

    def wrap_socket_and_handle(self, connection: Any, address: Any) -> None:
        self._admit(connection, address, lambda: self.wrap_socket(connection, **self.ssl_args))

    def _admit(self, connection: Any, address: Any, ready: Callable[[], Any]) -> None:
        """Count the client before anything is read; that of a proxy is known only from the request's head."""
        peer = address[0] if isinstance(address, tuple) else ""
        forwards = self._proxies.trusts_peer(peer)
        slot = None if forwards else self._unfinished.enter(client_of(peer, "", self._proxies))
        if slot is None and not forwards:
            self._refuse(connection)
            return
        try:
            served = ready()
            served.peer, served.slot, served.only_health = peer, slot, connection.only_health
            if served.only_health:
                served.reading_s = CROWDED_S
            self._serve(served, address)
        except OSError:
            metrics.count("handshakes_failed")  # of TLS: gunicorn catches the errors of a request
        finally:
            if slot is not None:
                slot.leave()

    def _refuse(self, connection: Any) -> None:
        metrics.count("requests_refused.quota")
        connection.setblocking(False)
        try:
            if self.ssl_args is None:
                connection.recv(65_536)  # unread bytes would reset the connection before the answer is read
                connection.send(TOO_MANY)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            return
