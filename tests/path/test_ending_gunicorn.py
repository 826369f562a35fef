"""A web process ends because one of its threads has ended: gunicorn starts another, and it serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.path.web_server import ROOT, WebServer, started
from tests.ports import free_port


class Server(WebServer):
    application = "ending_app:app"

    def get(self, path: str) -> str:
        """Return the body of the answer, empty where there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            return ""

    def answers(self) -> bool:
        return self.get("/pid") != ""

    def faults(self) -> list[str]:
        """Return the messages of the log with the level "critical"."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line["message"] for line in lines if line["level"] == "critical"]


@pytest.fixture(scope="module")
def server(
    valkey_server: Any, wait_for: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("web")
    with started(Server, free_port, wait_for, folder) as start:
        yield start(STATE_DIR=str(folder), REDIS_URL=f"redis://127.0.0.1:{valkey_server.port}/0")


@pytest.mark.parametrize("name", ["relay", "writer", "demand", "vitals", "catalog"])
def test_another_process_takes_the_place_of_one_that_lost_a_thread(
    server: Server, wait_for: Callable[..., Any], name: str
) -> None:
    earlier = len(server.faults())
    ending = server.get(f"/end/{name}")
    assert ending
    wait_for(lambda: server.get("/pid") not in ("", ending))
    (fault,) = server.faults()[earlier:]
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
