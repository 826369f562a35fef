"""A request waits for Redis once, however many of its parts read from it, and for a locked database a few times."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from app import create_app
from ltp import metrics
from ltp.db import instruments, runs
from ltp.db.catalog import Catalog
from ltp.db.engine import open_engine
from ltp.errors import DatabaseError, StoreError
from ltp.settings import Settings
from ltp.web import waits
from ltp.web.waits import LONGEST_S, TRIES, bounded, patiently
from tests.web.conftest import MASTER, ROWS


class Clock:
    """Time, and reads that take some of it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.reads: list[str] = []

    def monotonic(self) -> float:
        return self.now

    def read(self, name: str, *, takes_s: float = 0.0, fails: bool = False) -> str:
        self.reads.append(name)
        self.now += takes_s
        if fails:
            raise StoreError("Redis is away")
        return name


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waits, "time", clock)
    return clock


def test_after_a_read_that_failed_a_request_asks_no_more(clock: Clock) -> None:
    with Flask(__name__).test_request_context():
        assert bounded(clock.read, "a", takes_s=0.1) == "a"
        with pytest.raises(StoreError, match=r"^Redis is away$"):
            bounded(clock.read, "b", fails=True)
        with pytest.raises(StoreError, match=r"^Redis is not asked again"):
            bounded(clock.read, "c")
    assert clock.reads == ["a", "b"]


def test_after_slow_reads_a_request_asks_no_more(clock: Clock) -> None:
    with Flask(__name__).test_request_context():
        bounded(clock.read, "a", takes_s=LONGEST_S - 0.1)
        bounded(clock.read, "b", takes_s=LONGEST_S - 0.1)
        with pytest.raises(StoreError):
            bounded(clock.read, "c")
    assert clock.reads == ["a", "b"]


def test_the_next_request_asks_again(clock: Clock) -> None:
    app = Flask(__name__)
    for _ in range(2):
        with app.test_request_context(), pytest.raises(StoreError, match=r"^Redis is away$"):
            bounded(clock.read, "a", fails=True)


def test_a_thread_of_the_process_always_asks(clock: Clock) -> None:
    with Flask(__name__).app_context():  # that of the charts lasts as long as the process
        for _ in range(3):
            with pytest.raises(StoreError, match=r"^Redis is away$"):
                bounded(clock.read, "a", fails=True)
    assert clock.reads == ["a", "a", "a"]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize(
    "path",
    [
        "/instruments/NSE_EQ/1333?timeframe=5m",
        "/instruments/NSE_EQ/1333/poll?timeframe=5m&n=1",
        "/screeners/swing",
        "/screeners/swing/NSE_EQ/1333?timeframe=5m",
        "/status",
    ],
)
def test_a_page_waits_once_for_a_redis_that_hangs(
    empty_database: str, silent: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(_env_file=None, database_url=empty_database, redis_url=silent)
    engine = open_engine(settings.database)
    instruments.seed(engine, MASTER)
    runs.insert_run(engine, "swing", ROWS, sample=False)
    catalog = Catalog(engine)
    catalog.refresh()
    client = create_app(settings, catalog=catalog).test_client()
    failed = []
    mine = threading.get_ident()  # the thread of the charts has failures of its own

    def count(name: str, _n: int = 1) -> None:
        if name.startswith("store_errors.") and threading.get_ident() == mine:
            failed.append(name)

    monkeypatch.setattr(metrics, "count", count)
    assert client.get(path).status_code == 200
    assert failed == ["store_errors.TimeoutError"]


class Locked:
    """Fails so many times, then answers."""

    def __init__(self, failures: int, *, permanent: bool = False) -> None:
        self.left, self.calls, self.permanent = failures, 0, permanent

    def __call__(self) -> str:
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise DatabaseError("locked", permanent=self.permanent)
        return "read"


@pytest.mark.parametrize("failures", [0, 1, TRIES - 1])
def test_a_locked_database_is_tried_again(failures: int) -> None:
    pauses: list[float] = []
    assert patiently(Locked(failures), pauses.append) == "read"
    assert len(pauses) == failures


def test_patience_ends() -> None:
    action = Locked(TRIES)
    with pytest.raises(DatabaseError):
        patiently(action, lambda _: None)
    assert action.calls == TRIES


def test_a_failure_that_stays_is_not_waited_for() -> None:
    action = Locked(1, permanent=True)
    with pytest.raises(DatabaseError):
        patiently(action, lambda _: None)
    assert action.calls == 1
