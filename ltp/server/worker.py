"""gunicorn's gevent worker as this product needs it: prices ahead of the application, bounded clients, a
gentle end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from gunicorn import SERVER
from gunicorn import sock as gunicorn_sock
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from ltp import metrics
from ltp.core import health
from ltp.core.clients.client_address import TrustedProxies, client_of
from ltp.core.clients.unfinished import UnfinishedRequests
from ltp.server.connection import HEAD_S, TLSConnection, answer
from ltp.server.listener import CROWDED_S, TOO_MANY, Listener
from ltp.vital import ENDED, Vital

_DRAIN_S: Final = 4.0  # with what follows well within graceful_timeout
_HURRIED_DRAIN_S: Final = 0.5  # gunicorn kills two seconds after its second signal
_LAST_S: Final = (
    1.5  # for browsers in the middle of an event, requests under way and connections kept alive for another
)
_NO_DEADLINE: Final[nullcontext[None]] = nullcontext()
_CROWDED: Final = answer(
    HTTPStatus.SERVICE_UNAVAILABLE, "The server has no place for this request.", retry_after_s=1
)
_NOT_HERE: Final = answer(HTTPStatus.NOT_FOUND, "Only health checks are answered at this address.")


@dataclass(frozen=True)
class Limits:
    """`per_client`: unfinished requests of one client in this process. `health`: the name of the listening
    socket where only health is answered, as the kernel tells it; None for none.
    """

    proxies: TrustedProxies
    per_client: int
    health: tuple[str, int] | str | None = None


def worker_class(limits: Limits) -> type[DrainingWorker]:
    """Return the class that gunicorn makes its workers of."""
    return type("Worker", (DrainingWorker,), {"limits": limits})


class DrainingWorker(GeventWorker):  # type: ignore[misc]
    """gunicorn's own worker sees no streams, since they left their requests, and would drop them without a
    word.
    """

    limits: Limits

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drain_s = _DRAIN_S
        self._front: Any = None
        self._unfinished = UnfinishedRequests(self.limits.per_client)
        self._listeners: list[Listener] = []
        self.vital: Vital | None = (
            None  # made when the application is loaded, which may set the hook that it extends
        )

    def handle_exit(self, _signal: int, _frame: Any) -> None:
        self.alive = False  # not more: a signal handler may not take locks

    def handle_quit(self, _signal: int, _frame: Any) -> None:
        """Ctrl-C and SIGQUIT: the same in a hurry. A terminal sends it beside the arbiter, so the second
        changes nothing.
        """
        self._drain_s, self.alive = _HURRIED_DRAIN_S, False

    def run(self) -> None:
        """In place of gunicorn's own, which goes on accepting for a second and knows only requests that are
        under way.
        """
        self._front = _front(self)
        self._listeners = [self._listen(each) for each in self.sockets]
        failed = False
        while self.alive:
            self.notify()
            failed = self.vital is not None and self.vital.ended()
            if failed:
                self._drain_s, self.alive = _HURRIED_DRAIN_S, False
            for _ in range(20):
                if self.alive:
                    time.sleep(0.05)
        # At once: with reuse_port the kernel gives part of the visitors to this worker for as long as it
        # listens.
        time.sleep(0)  # once more whoever is in the queue: closing resets the rest of it
        for listener in self._listeners:
            listener.close()
        hub = _hub(self)
        if hub is not None:
            hub.drain(self._drain_s)
        began = time.monotonic()
        while time.monotonic() - began < self._drain_s + _LAST_S and (
            any(len(listener.pool) for listener in self._listeners) or (hub is not None and hub.streams)
        ):
            self.notify()
            time.sleep(0.05)
        if failed:
            sys.exit(ENDED)  # the arbiter starts another

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Not gevent's, whose deadline for heads starts a timer with every request; the connection has its
        own.
        """
        AsyncWorker.handle(self, listener, client, addr)

    def timeout_ctx(self) -> Any:
        return _NO_DEADLINE

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Prices that this process knows leave in one piece, whatever else goes gunicorn's way."""
        sock.begin_request()
        if sock.only_health or not self._answered(req, sock):
            self._hand_over(listener_name, req, sock, addr)
        sock.end_request(self._idle_s())
        # The socket of who asks again at once is never found empty, and without this he keeps the loop from
        # everybody else.
        time.sleep(0)

    def _answered(self, req: Any, sock: Any) -> bool:
        front = self._front
        if front is None or req.path != front.path or req.method != "GET" or req._expected_100_continue:
            return False
        closes = req.should_close() or not self.alive
        host = next((value for name, value in req.headers if name == "HOST"), "")
        client = partial(self._client, req, sock)
        found = front.response(
            req.query, req.version, "close" if closes else "keep-alive", host, req.uri, client, SERVER
        )
        if found is None:
            return False
        sent = sock.send_now(
            found
        )  # nearly always all of it, and sendall first asks the kernel for the size of its buffer
        if sent < len(found):
            self._counted(req, sock, partial(sock.sendall, found[sent:]), b"")
        if closes:
            raise StopIteration  # so gunicorn ends a connection
        return True

    def _hand_over(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Let the application answer, while the client has no more requests under way than it may."""
        checks = req.path in health.PATHS and req.method in {"GET", "HEAD"}
        if sock.only_health:
            req.force_close()
            if not checks:
                self._refuse(sock, _NOT_HERE if _named(listener_name) == self.limits.health else _CROWDED)
        serve = partial(super().handle_request, listener_name, req, sock, addr)
        if checks:
            serve()
        else:
            self._counted(req, sock, serve, TOO_MANY)

    def _counted(self, req: Any, sock: Any, serve: Callable[[], object], refusal: bytes) -> None:
        """Serve the request while its client has no more under way than it may, unless the whole connection
        is counted.
        """
        if sock.place is not None:
            serve()
            return
        sock.place = self._unfinished.enter(self._client(req, sock))
        if sock.place is None:
            metrics.count("requests_refused.quota")
            self._refuse(sock, refusal)
        try:
            serve()
        finally:
            sock.place.leave()
            sock.place = None

    def _client(self, req: Any, sock: Any) -> str:
        """Return whose request it is, as the environ of it would show."""
        return client_of(sock.peer, _forwarded_for(req), self.limits.proxies)

    def _refuse(self, sock: Any, refusal: bytes) -> None:
        sock.send_now(
            refusal
        )  # what does not fit is lost: a client that reads nothing may not keep its place for a refusal
        raise StopIteration

    def _idle_s(self) -> float:
        crowded = any(listener.crowded for listener in self._listeners)
        return CROWDED_S if crowded else float(self.cfg.keepalive or HEAD_S)

    def _listen(self, listener: Any) -> Listener:
        listener.setblocking(True)
        tls: dict[str, Any] = {}
        if self.cfg.is_ssl:
            context = gunicorn_sock.ssl_context(self.cfg)
            context.sslsocket_class = TLSConnection
            tls = {"ssl_context": context}
        only_health = _named(listener.getsockname()) == self.limits.health
        places = 0 if only_health else self.worker_connections
        serve = partial(self.handle, listener)
        made = Listener(
            listener,
            serve,
            self._unfinished,
            self.limits.proxies,
            places=places,
            only_health=only_health,
            **tls,
        )
        made.start()
        return made


def _front(worker: DrainingWorker) -> Any:
    """What answers for prices ahead of gunicorn; None where gunicorn was told of something that it would do
    for each of them.
    """
    cfg, front = worker.cfg, getattr(worker.wsgi, "wsgi_app", None)
    told = cfg.statsd_host or cfg.max_requests or not cfg.keepalive
    return front if hasattr(front, "response") and not told and not worker.log.access_log_enabled else None


def _named(name: Any) -> Any:
    """Return host and port alone, where IPv6 adds a flow and a scope."""
    return name[:2] if isinstance(name, tuple) else name


def _forwarded_for(req: Any) -> str:
    return ",".join(value for name, value in req.headers if name == "X-FORWARDED-FOR")


def services(worker: Any) -> Any:
    """Return what the views of the worker's application share; None where it is another application."""
    return getattr(worker.wsgi, "extensions", {}).get("ltp")


def _hub(worker: Any) -> Any:
    return getattr(services(worker), "hub", None)
