"""The configuration of the web server: `gunicorn -c gunicorn.conf.py wsgi:app`.

The workers of `ltp.server.worker` bound each client and end gently. BIND, PORT, WEB_CONCURRENCY and
MAX_STREAMS come from the environment.
"""

# ruff: noqa: E402
from gevent import monkey

# Before anything else is imported: a lock made earlier stays a real one, and waiting for it stops all
# greenlets.
monkey.patch_all()

import gc
import os
import resource
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path

_folder = Path(__file__).resolve().parent
_found = find_spec("ltp")
if _found is None or not _found.origin or Path(_found.origin).resolve().parents[1] != _folder:
    sys.exit(
        f"gunicorn finds the application by the folder it is started in: cd {_folder}, and start it there"
    )

from ltp import logs
from ltp import settings as ltp_settings
from ltp.checks import check_redis
from ltp.db.engine import open_when_reachable
from ltp.errors import ConfigError, LTPError
from ltp.gunicorn_log import GunicornLog, log_ends_of_greenlets
from ltp.server import listening
from ltp.server import worker as ltp_worker
from ltp.server.requests import Limits
from ltp.store import rights
from ltp.vital import Vital

_REQUESTS = 200  # ordinary requests at a time, beside the streams that cannot leave their request (TLS)

# gevent's switch interval: how long ready greenlets run before new events are polled. With the default of 5
# ms, programs that send requests without a pause keep all others waiting, new connections the longest.
sys.setswitchinterval(0.001)
# Before the settings are loaded: the default of MAX_STREAMS follows from it.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))

try:
    _settings = ltp_settings.load()
    logs.configure("web", _settings.log_level)
    _settings.refuse_open_door()
except ConfigError as error:
    sys.exit(str(error))


def on_starting(server):
    """Find here, once, the errors that would end every worker: gunicorn logs the second with a traceback."""
    if os.environ.get("SCRIPT_NAME"):
        sys.exit(
            "SCRIPT_NAME is not accepted: the site cannot live below a path, "
            "give it a host name or a port of its own"
        )
    for address in server.cfg.address:
        _refuse_open_door(address)
        _refuse_taken(address)
    if _settings.health_bind and _settings.health_socket not in server.cfg.address:
        sys.exit(
            f"HEALTH_BIND={_settings.health_bind!r} is not served, because --bind replaces it: "
            "give --bind once more for it"
        )
    _share_sockets(server)
    _distrust_unix_peers(server)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # gunicorn sets its own later
    try:
        away = check_redis(_settings, rights.WEB)
        if away:
            server.log.warning("%s. Pages are served without live prices until it answers.", away)
        open_when_reachable(_settings.database, wait=_wait, process="web server").dispose()
    except LTPError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _wait(seconds):
    time.sleep(seconds)
    return False


def on_reload(server):
    _share_sockets(server)
    _distrust_unix_peers(server)


def _share_sockets(server):
    """Have all workers accept from the arbiter's socket where they cannot open one each.

    That is so for a Unix socket and for one that systemd opened.
    """
    if os.environ.get("LISTEN_FDS") or any(not isinstance(address, tuple) for address in server.cfg.address):
        server.cfg.set("reuse_port", False)


def _distrust_unix_peers(server):
    """Ignore the scheme that a peer on a Unix socket names unless that is a trusted proxy's.

    gunicorn trusts all such peers, even where forwarded_allow_ips names none.
    """
    sockets = [
        address
        for address in server.cfg.address
        if isinstance(address, str) and address != _settings.health_socket
    ]
    if sockets and not _settings.proxies.unix:
        server.cfg.set("secure_scheme_headers", {})


def _refuse_open_door(address):
    """Check the address that is really used: the command line may name another than BIND."""
    if isinstance(address, tuple) and address != _settings.health_socket:
        try:
            _settings.refuse_open_door(address[0])
        except ConfigError as error:
            sys.exit(str(error))


def _refuse_taken(address):
    """Refuse an address of another process.

    With reuse_port a second instance would bind the same port and silently take half of the visitors; and
    gunicorn would replace the socket at a path.
    """
    reason = listening.taken(address)
    if reason:
        sys.exit(reason)


def when_ready(server):
    # gunicorn's own line has no address, because with reuse_port only the workers listen.
    server.log.info("Workers listen at %s", ", ".join(server.cfg.settings["bind"].get()))


def post_worker_init(worker):
    shared = ltp_worker.services(worker)
    log_ends_of_greenlets()
    worker.vital = Vital()
    if shared is not None:
        worker.vital.add(shared.start())
    gc.collect()
    gc.freeze()  # the objects loaded by now stay for good: the longest collection falls from 30 ms to 3


worker_class = ltp_worker.worker_class(
    Limits(_settings.proxies, _settings.max_requests_per_client, _settings.health_socket)
)
logger_class = GunicornLog
bind = [_settings.web_address, *([_settings.health_bind] if _settings.health_bind else [])]
workers = _settings.web_concurrency
worker_connections = _settings.max_streams + _REQUESTS
reuse_port = True  # sharing one listening socket, one of two workers gets twice the streams of the other
backlog = 4096
preload_app = False
max_requests = 0  # would count streams, and polls against them
timeout = 30
graceful_timeout = 10
keepalive = 5  # seconds for the next request of a connection; other deadlines: ltp/server/connection.py
# gevent has no sendfile, and gunicorn's substitute waits longer for each piece than a whole answer may take.
sendfile = False
limit_request_line = 8190  # gunicorn's maximum: current_prices answers for as many keys as fit
# From no peer: a client behind a proxy on this machine could set SCRIPT_NAME and evade the proxy's rules for
# paths.
forwarder_headers = ""
forwarded_allow_ips = _settings.proxies.allowed
# A single header: with two, a client could contradict its proxy by the other one.
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
http_protocols = "h1"  # gunicorn serves the streams of an HTTP/2 connection one after another
control_socket_disable = True
accesslog = None
loglevel = _settings.log_level.lower()
