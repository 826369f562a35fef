"""Starting the peers of the fan-out: each sends events of SIZE bytes HZ times a second to every client that
is connected.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench import machine, servers, tools
from bench.servers import Failed, Server

_MODULES: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
# The instant stands in the data: nchan makes ids of its own.
NCHAN_KEY: Final = "data:"
_NGINX: Final = """load_module {module};
user root;
worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/pid;
error_log {folder}/error.log error;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  nchan_shared_memory_size 256M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /stream {{ nchan_subscriber eventsource; nchan_channel_id prices; nchan_subscriber_first_message newest; }}
    location = /publish {{ nchan_publisher; nchan_channel_id prices; nchan_message_buffer_length 1; }}
  }}
}}
"""


@contextmanager
def limit(hz: float, size: int, *, pages: int = 1) -> Iterator[Server]:
    """The floor. `pages`: served one after another."""
    port = machine.free_port()
    with servers.running([tools.compiled("limit"), port, hz, size, pages], port) as server:
        yield server


@contextmanager
def nchan(hz: float, size: int) -> Iterator[Server]:
    """nginx with Debian's nchan module."""
    if not _MODULES.exists():
        raise Failed("nchan is not installed (libnginx-mod-nchan)")
    nginx, port = tools.installed("nginx"), machine.free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        config = Path(folder) / "nginx.conf"
        config.write_text(_NGINX.format(module=_MODULES, files=19_500, folder=folder, port=port))
        server = stack.enter_context(
            servers.running([nginx, "-c", config, "-p", folder, "-e", f"{folder}/error.log"], port)
        )
        stack.enter_context(_publisher("nchan", port, hz, size - 20))
        yield server


@contextmanager
def starlette(hz: float, size: int) -> Iterator[Server]:
    port = machine.free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bench.peers.starlette_stream:app",
        "--host",
        "127.0.0.1",
        "--port",
        port,
    ]
    command += [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "error",
        "--backlog",
        4096,
    ]
    env = {"HZ": str(hz), "SIZE": str(size - 40)}
    with servers.running(command, port, env=env) as server:
        yield server


@contextmanager
def flask_sse(hz: float, size: int) -> Iterator[Server]:
    port = machine.free_port()
    with servers.valkey() as url, ExitStack() as stack:
        command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", 1, "--worker-connections", 20_000]
        command += [
            "--backlog",
            4096,
            "-b",
            f"127.0.0.1:{port}",
            "--no-control-socket",
            "bench.peers.flask_sse_stream:app",
        ]
        env = {"REDIS_URL": url}
        server = stack.enter_context(servers.running(command, port, env=env))
        stack.enter_context(_publisher("flask-sse", url, hz, size - 40))
        yield server


@contextmanager
def _publisher(peer: str, address: object, hz: float, size: int) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.peers.publish", peer, address, hz, size]
    with servers.running(command, 0, core=machine.LOAD_CORE, ready=lambda: True):
        yield
