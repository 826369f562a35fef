"""A web process of which a thread has ended: gunicorn starts another, which serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port, wait_for

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COMMAND = Path(sys.executable).parent / "gunicorn"


class Server:
    def __init__(self, port: int, folder: Path, redis_url: str) -> None:
        self.port, self.log = port, folder / "log"
        environ = {
            "PORT": str(port),
            "WEB_CONCURRENCY": "1",
            "STATE_DIR": str(folder),
            "REDIS_URL": redis_url,
        }
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            str(ROOT / "gunicorn.conf.py"),
            "--pythonpath",
            str(HERE),
        ]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "ending_app:app"], cwd=ROOT, env=os.environ | environ, stdout=log, stderr=log
            )

    def get(self, path: str) -> str:
        """Return what the server answers, empty when it does not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def faults(self) -> list[str]:
        """Return the messages of the log that are as grave as the end of a process."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["message"] for line in lines if line["level"] == "critical"]


@pytest.fixture(scope="module")
def server(valkey_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(free_port(), tmp_path_factory.mktemp("web"), f"redis://127.0.0.1:{valkey_server.port}/0")
    wait_for(lambda: made.get("/pid"))
    yield made
    made.process.send_signal(signal.SIGQUIT)
    made.process.wait(30)


@pytest.mark.parametrize("name", ["relay", "writer", "demand", "vitals", "catalog"])
def test_another_process_takes_the_place_of_one_that_lost_a_thread(server: Server, name: str) -> None:
    known = len(server.faults())
    ending = server.get(f"/end/{name}")
    assert ending
    wait_for(lambda: server.get("/pid") not in ("", ending))
    (fault,) = server.faults()[known:]
    assert fault.startswith(f"The thread {name} ended (Fault: ")


def test_every_line_is_of_one_format_and_in_utc(server: Server) -> None:
    records = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert "gunicorn.error" in {record["logger"] for record in records}
    assert all(record["at"].endswith("+00:00") and record["process"] == "web" for record in records)


@pytest.mark.parametrize(
    "started",
    [["-m", "gunicorn"], [str(Path(sys.executable).parent / "gunicorn")]],
    ids=["module", "command"],
)
def test_started_in_another_folder_it_names_the_right_one(started: list[str], tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, *started, "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert (
        line
        == f"gunicorn finds the application by the folder it is started in: cd {ROOT}, and start it there"
    )
