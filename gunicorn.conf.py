"""How the web server runs: gevent workers that send prices ahead of the application and tell their browsers before they go.

`gunicorn -c gunicorn.conf.py wsgi:app`. BIND, PORT, WEB_CONCURRENCY and MAX_STREAMS come from the environment.
"""

# ruff: noqa: E402
from gevent import monkey

monkey.patch_all()  # before anything else is imported, or some lock somewhere stays a real one and stops every browser

import errno
import gc
import os
import resource
import signal
import socket
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn import sock
from gunicorn.workers.ggevent import GeventWorker

_folder = Path(__file__).resolve().parent
_found = find_spec("ltp")
if _found is None or not _found.origin or Path(_found.origin).resolve().parents[1] != _folder:
    sys.exit(f"gunicorn finds the application by the folder it is started in: cd {_folder}, and start it there")

from ltp import logs
from ltp import settings as ltp_settings
from ltp.checks import check_redis
from ltp.core.client_address import client_of
from ltp.db.engine import open_when_there
from ltp.errors import ConfigError, LTPError
from ltp.gunicorn_log import GunicornLog, log_ends_of_greenlets
from ltp.store import rights
from ltp.vital import ENDED, Vital

_DRAIN_S = 4.0  # with what follows well within graceful_timeout
_HURRIED_DRAIN_S = 0.5  # gunicorn kills two seconds after its second signal
_LAST_S = 1.5  # for browsers in the middle of an event, requests under way and connections kept alive for another
_ACCEPTED = 2  # connections in one turn of the loop, beside which relay and writer have theirs: gevent takes a hundred
_REQUESTS = 200  # ordinary requests at a time, beside the streams that cannot leave their request (TLS)

# So long gevent goes on with who is ready before it looks who has become so: in 5 ms programs that ask without a pause keep
# everybody else waiting, and whoever connects longest.
sys.setswitchinterval(0.001)
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))  # before the settings: the default of MAX_STREAMS follows from it

try:
    _settings = ltp_settings.load()
    logs.configure("web", _settings.log_level)
except ConfigError as error:
    sys.exit(str(error))


_trusted = _settings.proxies


class DrainingWorker(GeventWorker):
    """gunicorn's own worker sees no streams, since they left their requests, and would drop them without a word."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._drain_s, self._front, self.vital = _DRAIN_S, None, None

    def handle_exit(self, _signal, _frame):
        self.alive = False  # not more: a signal handler may not take locks

    def handle_quit(self, _signal, _frame):
        """Ctrl-C and SIGQUIT: the same in a hurry. A terminal sends it beside the arbiter, so the second changes nothing."""
        self._drain_s, self.alive = _HURRIED_DRAIN_S, False

    def run(self):
        """In place of gunicorn's own, which goes on accepting for a second and knows only requests that are under way."""
        self._front = _front(self)
        servers = [self._serve(listener) for listener in self.sockets]
        failed = False
        while self.alive:
            self.notify()
            failed = self.vital.ended()
            if failed:
                self._drain_s, self.alive = _HURRIED_DRAIN_S, False
            for _ in range(20):
                if self.alive:
                    time.sleep(0.05)
        # At once: with reuse_port the kernel gives part of the visitors to this worker for as long as it listens.
        time.sleep(0)  # once more whoever is in the queue: closing resets the rest of it
        for server in servers:
            server.close()
        hub = _hub(self)
        if hub is not None:
            hub.drain(self._drain_s)
        began = time.monotonic()
        while time.monotonic() - began < self._drain_s + _LAST_S and (
            any(len(server.pool) for server in servers) or (hub is not None and hub.streams)
        ):
            self.notify()
            time.sleep(0.05)
        if failed:
            sys.exit(ENDED)  # the arbiter starts another

    def handle_request(self, listener_name, req, sock, addr):
        """Prices that this process knows leave in one piece, whatever else goes gunicorn's way."""
        if not self._answered(req, sock, addr):
            super().handle_request(listener_name, req, sock, addr)
        # The socket of who asks again at once is never found empty, and without this he keeps the loop from everybody else.
        time.sleep(0)

    def _answered(self, req, sock, addr):
        front = self._front
        if front is None or req.path != front.path or req.method != "GET" or _needs_environ(req):
            return False
        closes = req.should_close() or not self.alive
        answer = front.response(req.query, req.version, "close" if closes else "keep-alive", partial(_client, req, addr))
        if answer is None:
            return False
        sent = sock.send(answer)  # nearly always all of it, and sendall first asks the kernel for the size of its buffer
        if sent < len(answer):
            sock.sendall(answer[sent:])
        if closes:
            raise StopIteration  # so gunicorn ends a connection
        return True

    def _serve(self, listener):
        listener.setblocking(True)
        tls = {"ssl_context": sock.ssl_context(self.cfg)} if self.cfg.is_ssl else {}
        server = StreamServer(listener, handle=partial(self.handle, listener), spawn=Pool(self.worker_connections), **tls)
        server.max_accept = _ACCEPTED
        server.start()
        return server


def _front(worker):
    """What answers for prices ahead of gunicorn; None where gunicorn was told of something that it would do for each of them."""
    cfg, front = worker.cfg, getattr(worker.wsgi, "wsgi_app", None)
    told = cfg.statsd_host or cfg.max_requests or not cfg.keepalive or os.environ.get("SCRIPT_NAME")
    return front if hasattr(front, "response") and not told and not worker.log.access_log_enabled else None


def _client(req, addr):
    """Return whose request it is, as the environ of it would tell; a Unix socket has no address."""
    forwarded = ",".join(value for name, value in req.headers if name == "X-FORWARDED-FOR")
    return client_of(addr[0] if isinstance(addr, tuple) else "", forwarded, _trusted)


def _needs_environ(req):
    """A proxy may say where the application is mounted; and gunicorn answers who asks first whether to send a body."""
    return req._expected_100_continue or any(name == "SCRIPT_NAME" for name, _ in req.headers)


def _services(worker):
    return getattr(worker.wsgi, "extensions", {}).get("ltp")


def _hub(worker):
    return getattr(_services(worker), "hub", None)


def on_starting(server):
    """Meet once and here what every worker would end on: gunicorn answers the second such end with a traceback."""
    _refuse_taken(server)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # gunicorn's own come later
    try:
        away = check_redis(_settings, rights.WEB)
        if away:
            server.log.warning("%s. Pages are served without live prices until it answers.", away)
        open_when_there(_settings.database, wait=_wait, process="web server").dispose()
    except LTPError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _wait(seconds):
    time.sleep(seconds)
    return False


def _refuse_taken(server):
    """With reuse_port a second instance would bind the same port and silently take half of the visitors."""
    for address in server.cfg.address:
        if not isinstance(address, tuple):
            continue
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address[:2])
            except OSError as error:
                taken = error.errno == errno.EADDRINUSE
                reason = (
                    "is taken by another program: stop it or set PORT"
                    if taken
                    else f"cannot be used ({error.strerror}): set BIND"
                )
                sys.exit(f"Address {address[0]} port {address[1]} {reason}")


def when_ready(server):
    # gunicorn's own line names no address, because with reuse_port only the workers listen.
    server.log.info("Workers listen at %s", ", ".join(server.cfg.settings["bind"].get()))


def post_worker_init(worker):
    services = _services(worker)
    log_ends_of_greenlets()
    worker.vital = Vital()
    if services is not None:
        worker.vital.add(services.start())
    gc.collect()
    gc.freeze()  # what is loaded now stays: the longest collection falls from 30 ms to 3


worker_class = DrainingWorker
logger_class = GunicornLog
bind = f"[{_settings.bind}]:{_settings.port}" if ":" in _settings.bind else f"{_settings.bind}:{_settings.port}"
workers = _settings.web_concurrency
worker_connections = _settings.max_streams + _REQUESTS
reuse_port = True  # one listening socket gives one of two workers twice the streams of the other
backlog = 4096
preload_app = False
max_requests = 0  # would count streams, and polls against them
timeout = 30
graceful_timeout = 10
keepalive = 5  # also the only limit on the time a request head may take
limit_request_line = 8190  # the most gunicorn takes: current_prices answers for as many keys as fit
http_protocols = "h1"  # gunicorn serves the streams of an HTTP/2 connection one after another
control_socket_disable = True
accesslog = None
loglevel = _settings.log_level.lower()
