"""The life of a web process under gunicorn: it listens, serves until it must end, and ends gently."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any, Final

from gunicorn import sock as gunicorn_sock

from ltp.server.connection import TLSConnection
from ltp.server.listener import Listener
from ltp.server.requests import Limits, RequestWorker, fast_path, host_and_port
from ltp.vital import ENDED, Vital

_DRAIN_S: Final = 4.0  # with _LAST_S well within graceful_timeout
_HURRIED_DRAIN_S: Final = 0.5  # gunicorn kills two seconds after its second signal
# For browsers in the middle of an event, unfinished requests and connections kept alive for another.
_LAST_S: Final = 1.5


def worker_class(limits: Limits) -> type[DrainingWorker]:
    """Return the class that gunicorn creates its workers from."""
    return type("Worker", (DrainingWorker,), {"limits": limits})


class DrainingWorker(RequestWorker):
    """A worker that drains its streams at its end.

    gunicorn's own sees no streams, since they left their requests, and would cut them without notice.

    `vital`: made when the application is loaded, because that may set the hook which it extends.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drain_s = _DRAIN_S
        self.vital: Vital | None = None

    def handle_exit(self, _signal: int, _frame: Any) -> None:
        self.alive = False  # not more: a signal handler may not take locks

    def handle_quit(self, _signal: int, _frame: Any) -> None:
        """End in a hurry, on Ctrl-C and SIGQUIT.

        A terminal sends Ctrl-C to the workers and to the arbiter, which then signals the workers again: the
        second time changes nothing.
        """
        self._drain_s, self.alive = _HURRIED_DRAIN_S, False

    def run(self) -> None:
        """Replace gunicorn's own, which accepts for another second and waits only for unfinished requests."""
        self._fast_path = fast_path(self)
        self._listeners = [self._listen(each) for each in self.sockets]
        failed = self._serve()
        # At once: with reuse_port the kernel gives part of the visitors to this worker for as long as it
        # listens.
        time.sleep(0)  # accepts those in the queue once more: closing resets the rest of it
        for listener in self._listeners:
            listener.close()
        self._drain()
        if failed:
            sys.exit(ENDED)  # the arbiter starts another

    def _serve(self) -> bool:
        """Serve until this worker must end; return whether one of its threads ended."""
        failed = False
        while self.alive:
            self.notify()
            failed = self.vital is not None and self.vital.ended()
            if failed:
                self._drain_s, self.alive = _HURRIED_DRAIN_S, False
            for _ in range(20):
                if self.alive:
                    time.sleep(0.05)
        return failed

    def _drain(self) -> None:
        hub = getattr(services(self), "hub", None)
        if hub is not None:
            hub.drain(self._drain_s)
        began = time.monotonic()
        while time.monotonic() - began < self._drain_s + _LAST_S and (
            any(len(listener.pool) for listener in self._listeners) or (hub is not None and hub.streams)
        ):
            self.notify()
            time.sleep(0.05)

    def _listen(self, listener: Any) -> Listener:
        listener.setblocking(True)
        tls: dict[str, Any] = {}
        if self.cfg.is_ssl:
            context = gunicorn_sock.ssl_context(self.cfg)
            context.sslsocket_class = TLSConnection
            tls = {"ssl_context": context}
        only_health = host_and_port(listener.getsockname()) == self.limits.health
        made = Listener(
            listener,
            partial(self.handle, listener),
            self._unfinished,
            self.limits.proxies,
            places=0 if only_health else self.worker_connections,
            only_health=only_health,
            **tls,
        )
        made.start()
        return made


def services(worker: Any) -> Any:
    """Return the services that the views of the worker's application share; None for another application."""
    return getattr(worker.wsgi, "extensions", {}).get("ltp")
