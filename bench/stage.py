"""The product as it runs: database, cache, exchange, worker, web server; each case takes the parts it needs."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from bench import machine, servers
from bench.servers import ROOT, Failed, Server
from ltp.core.screener import Row
from ltp.db.engine import open_engine
from ltp.db.runs import insert_run
from ltp.store import heartbeat

FIRST_ID: Final = 900_000_001  # no contract of the exchange
SUBSCRIBED_WITHIN_S: Final = 20
_SETTLE_S: Final = 1.0


@dataclass(frozen=True)
class Stage:
    """`url` of the cache. `env`: environment of every process of the product."""

    folder: Path
    url: str
    env: dict[str, str]


def keys(count: int) -> list[str]:
    return [f"NSE_EQ:{FIRST_ID + number}" for number in range(count)]


@contextmanager
def ready(instruments: int, **settings: str) -> Iterator[Stage]:
    """Give a cache and a database with a run of the swing screener over so many instruments."""
    with tempfile.TemporaryDirectory() as name, servers.valkey() as url:
        folder = Path(name)
        engine = open_engine(f"sqlite:///{folder / 'ltp.sqlite3'}")
        rows = [
            Row(key, rank, f"BENCH{rank}", f"Bench {rank} Limited")
            for rank, key in enumerate(keys(instruments), start=1)
        ]
        insert_run(engine, "swing", rows, sample=True)
        engine.dispose()
        env = {
            "STATE_DIR": str(folder),
            "REDIS_URL": url,
            "MARKET_CALENDAR": "always_open",
            "SCREENER_UNIVERSE": "off",
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        yield Stage(folder, url, env)


class Exchange:
    """The sender of ticks, from its state file."""

    def __init__(self, port: int, state_file: Path) -> None:
        self.port, self._state_file = port, state_file

    def state(self) -> dict[str, Any]:
        """Return its last word, empty before a client has subscribed."""
        state: dict[str, Any] = json.loads(self._state_file.read_text()) if self._state_file.exists() else {}
        return state


@contextmanager
def exchange(folder: Path, ticks_per_s: float) -> Iterator[Exchange]:
    port, state_file = machine.free_port(), folder / "feed.json"
    command = [sys.executable, "-m", "bench.feed", port, ticks_per_s, state_file]
    with servers.running(command, port, core=machine.LOAD_CORE):
        yield Exchange(port, state_file)


@contextmanager
def worker(stage: Stage, feed: Exchange, *, core: int = machine.SERVER_CORE) -> Iterator[Server]:
    """Run the worker until every instrument is subscribed and ticks flow."""
    env = {
        "DHANHQ_WS_ENABLED": "true",
        "DHANHQ_WS_URL": f"ws://127.0.0.1:{feed.port}",
        "DHANHQ_REST_URL": "http://127.0.0.1:9/v2",  # no server listens there, and none is needed
        "DHANHQ_CLIENT_ID": "bench",
        "DHANHQ_ACCESS_TOKEN": "bench",
    }
    command, subscribed = [sys.executable, ROOT / "worker.py"], lambda: bool(feed.state())
    with servers.running(
        command, 0, core=core, env=stage.env | env, cwd=stage.folder, ready=subscribed
    ) as server:
        time.sleep(_SETTLE_S)
        yield server


def ticks_per_s(stage: Stage) -> float:
    """Return the worker's own rate of ticks.

    Raises:
        Failed: it reports none.
    """
    with redis.Redis.from_url(stage.url) as client:
        status = heartbeat.read(client).status
    if "ticks_per_s" not in status:
        raise Failed("the worker has no status")
    return float(status["ticks_per_s"])


@contextmanager
def web(stage: Stage) -> Iterator[Server]:
    port = machine.free_port()
    with servers.gunicorn("wsgi:app", port, stage.env, cwd=stage.folder, ready="/healthz") as server:
        yield server


@contextmanager
def prices(stage: Stage, instruments: int, ticks: int, hz: float) -> Iterator[None]:
    """Have `ticks` of so many instruments change HZ times a second, without a feed."""
    command = [sys.executable, "-m", "bench.publisher", stage.url, instruments, ticks, hz]
    with redis.Redis.from_url(stage.url) as client:
        written = f"ltp:{keys(instruments)[-1]}"
        with servers.running(command, 0, core=machine.LOAD_CORE, ready=lambda: bool(client.exists(written))):
            yield
