"""One listening socket of a web process: which connections get a place, and which of them only for health
checks.
"""

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

SPARE: Final = 100  # places beside the others, where only health is answered
CROWDED_S: Final = 1.0  # what a head or a pause between requests may take while there are no other places
# connections in one turn of the loop, beside which relay and writer have theirs: gevent takes a hundred
_ACCEPTED: Final = 2
_NOT_SENT_MAX: Final = (
    131_072  # bytes for a client that reads nothing: else the kernel takes 4 MB of answers made for nobody
)
TOO_MANY: Final = answer(
    HTTPStatus.TOO_MANY_REQUESTS, "Too many requests of this client are unfinished.", retry_after_s=5
)


class Listener(StreamServer):  # type: ignore[misc]
    """Gives a connection a place and its client a count until it is served; `serve(connection, address)`
    serves it.
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
            listener.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT_MAX
            )  # each connection inherits it
        super().__init__(listener, spawn=Pool(places + SPARE), **tls)

    @property
    def crowded(self) -> bool:
        """Whether all places are taken but those for health checks."""
        return not self._only_health and len(self.pool) >= self._places

    def do_read(self) -> Any:
        accepted = super().do_read()
        if accepted is None:
            return None
        plain, address = accepted
        connection = ClientConnection(plain.family, plain.type, plain.proto, fileno=plain.detach())
        # Now, and not when its turn comes, when others after it have places too.
        connection.only_health = self._only_health or self.crowded
        return connection, address

    def handle(self, connection: Any, address: Any) -> None:
        self._admit(connection, address, lambda: connection)

    def wrap_socket_and_handle(self, connection: Any, address: Any) -> None:
        self._admit(connection, address, lambda: self.wrap_socket(connection, **self.ssl_args))

    def _admit(self, connection: Any, address: Any, ready: Callable[[], Any]) -> None:
        """Count the client before anything is read, unless it is a proxy, which says later whom it asks for."""
        peer = address[0] if isinstance(address, tuple) else ""
        forwards = self._proxies.trusts_peer(peer)
        place = None if forwards else self._unfinished.enter(client_of(peer, "", self._proxies))
        if place is None and not forwards:
            self._refuse(connection)
            return
        try:
            served = ready()
            served.peer, served.place, served.only_health = peer, place, connection.only_health
            if served.only_health:
                served.reading_s = CROWDED_S
            self._serve(served, address)
        except OSError:
            metrics.count("handshakes_failed")  # gunicorn keeps what fails in a request to itself
        finally:
            if place is not None:
                place.leave()

    def _refuse(self, connection: Any) -> None:
        metrics.count("requests_refused.quota")
        connection.setblocking(False)
        try:
            if self.ssl_args is None:
                connection.recv(65_536)  # or closing resets the connection before the answer is read
                connection.send(TOO_MANY)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            return
