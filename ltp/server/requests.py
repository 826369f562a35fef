"""One request in gunicorn's gevent worker: prices ahead of the application, and a bound for each client."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from gunicorn import SERVER
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from ltp import metrics
from ltp.core import health_paths
from ltp.core.clients.client_address import TrustedProxies, client_of
from ltp.core.clients.unfinished import UnfinishedRequests
from ltp.server.connection import HEAD_S, answer
from ltp.server.listener import CROWDED_S, TOO_MANY, Listener

_NO_DEADLINE: Final[nullcontext[None]] = nullcontext()
_CROWDED: Final = answer(
    HTTPStatus.SERVICE_UNAVAILABLE, "The server has no place for this request.", retry_after_s=1
)
_NOT_HERE: Final = answer(HTTPStatus.NOT_FOUND, "Only health checks are answered at this address.")


@dataclass(frozen=True)
class Limits:
    """`per_client`: unfinished requests of one client in this process.

    `health`: the kernel's name of the listening socket where only health is answered, None for none.
    """

    proxies: TrustedProxies
    per_client: int
    health: tuple[str, int] | str | None = None


class RequestWorker(GeventWorker):  # type: ignore[misc]
    """Serves the requests of accepted connections. `_fast_path` is set before the first."""

    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fast_path: Any = None
        self._unfinished = UnfinishedRequests(self.limits.per_client)
        self._listeners: list[Listener] = []

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Skip gevent's own, which starts a timer with every request: the connection has its own deadline."""
        AsyncWorker.handle(self, listener, client, addr)

    def timeout_ctx(self) -> Any:
        return _NO_DEADLINE

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer prices that this process knows in one write; hand all other requests to gunicorn."""
        sock.begin_request()
        if sock.only_health or not self._answer_fast(req, sock):
            self._hand_over(listener_name, req, sock, addr)
        sock.end_request(self._idle_s())
        # A client that sends its next request at once never finds the socket empty: without a turn of the
        # loop its greenlet would keep all others waiting.
        time.sleep(0)

    def _answer_fast(self, req: Any, sock: Any) -> bool:
        fast = self._fast_path
        if fast is None or req.path != fast.path or req.method != "GET" or req._expected_100_continue:
            return False
        closes = req.should_close() or not self.alive
        host = next((value for name, value in req.headers if name == "HOST"), "")
        client = partial(self._client, req, sock)
        found = fast.response(
            req.query, req.version, "close" if closes else "keep-alive", host, req.uri, client, SERVER
        )
        if found is None:
            return False
        # Nearly always the kernel takes all of it; sendall would first read the size of its buffer.
        sent = sock.send_now(found)
        if sent < len(found):
            self._count(req, sock, partial(sock.sendall, found[sent:]), b"")
        if closes:
            raise StopIteration  # gunicorn's way to end a connection
        return True

    def _hand_over(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Let the application answer, unless its client has too many unfinished requests."""
        checks = req.path in health_paths.PATHS and req.method in {"GET", "HEAD"}
        if sock.only_health:
            req.force_close()
            if not checks:
                self._refuse(
                    sock, _NOT_HERE if host_and_port(listener_name) == self.limits.health else _CROWDED
                )
        serve = partial(super().handle_request, listener_name, req, sock, addr)
        if checks:
            serve()
        else:
            self._count(req, sock, serve, TOO_MANY)

    def _count(self, req: Any, sock: Any, serve: Callable[[], object], refusal: bytes) -> None:
        """Serve the request as one of its client's unfinished ones, or refuse it past their number.

        A client that was counted when its connection was accepted is not counted again.
        """
        if sock.slot is not None:
            serve()
            return
        sock.slot = self._unfinished.enter(self._client(req, sock))
        if sock.slot is None:
            metrics.count("requests_refused.quota")
            self._refuse(sock, refusal)
        try:
            serve()
        finally:
            sock.slot.leave()
            sock.slot = None

    def _client(self, req: Any, sock: Any) -> str:
        """Return the client of the request, the same as from its environ."""
        return client_of(sock.peer, _forwarded_for(req), self.limits.proxies)

    def _refuse(self, sock: Any, refusal: bytes) -> None:
        # Bytes without room are lost: a client that reads nothing must not keep its place for a refusal.
        sock.send_now(refusal)
        raise StopIteration

    def _idle_s(self) -> float:
        crowded = any(listener.crowded for listener in self._listeners)
        return CROWDED_S if crowded else float(self.cfg.keepalive or HEAD_S)


def fast_path(worker: RequestWorker) -> Any:
    """Return the part of the application that answers for prices ahead of gunicorn.

    None if a per-request feature of gunicorn is on that it would skip (access log, statsd, max_requests), if
    connections are not kept alive, and for another application.
    """
    cfg, fast = worker.cfg, getattr(worker.wsgi, "wsgi_app", None)
    skipped = cfg.statsd_host or cfg.max_requests or worker.log.access_log_enabled
    return fast if hasattr(fast, "response") and cfg.keepalive and not skipped else None


def host_and_port(name: Any) -> Any:
    """Return the kernel's name of a socket without the flow and the scope that IPv6 adds."""
    return name[:2] if isinstance(name, tuple) else name


def _forwarded_for(req: Any) -> str:
    return ",".join(value for name, value in req.headers if name == "X-FORWARDED-FOR")
