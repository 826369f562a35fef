"""Starting the peers of the price API, each on one core, with the cache on another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import machine, servers, tools
from bench.servers import Server
from bench.stage import Stage


@contextmanager
def starlette(stage: Stage) -> Iterator[Server]:
    port = machine.free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "bench.peers.starlette_prices:app",
        "--host",
        "127.0.0.1",
        "--port",
        port,
    ]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
    with servers.running(command, port, env=stage.env) as server:
        yield server


@contextmanager
def flask(stage: Stage) -> Iterator[Server]:
    port = machine.free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-k",
        "gevent",
        "-w",
        1,
        "-b",
        f"127.0.0.1:{port}",
        "--no-control-socket",
    ]
    with servers.running([*command, "bench.peers.flask_prices:app"], port, env=stage.env) as server:
        yield server


@contextmanager
def webdis(stage: Stage) -> Iterator[Server]:
    """Redis over HTTP, in C."""
    program, port = tools.installed("webdis"), machine.free_port()
    config = stage.folder / "webdis.json"
    settings = {
        "redis_host": "127.0.0.1",
        "redis_port": int(stage.url.rpartition(":")[2].partition("/")[0]),
        "http_host": "127.0.0.1",
        "http_port": port,
        "threads": 1,
        "pool_size": 20,
        "daemonize": False,
        "websockets": False,
        "database": 0,
        "verbosity": 0,
        "logfile": str(stage.folder / "webdis.log"),
    }
    config.write_text(json.dumps(settings))
    with servers.running([program, config], port, cwd=stage.folder) as server:
        yield server
