from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ltp.worker.subprocess_job import SubprocessJob

ROOT = Path(__file__).resolve().parents[2]


def test_a_command_ends_with_its_status_and_last_words(tmp_path: Path, wait_for: Callable[..., Any]) -> None:
    child = SubprocessJob(within_s=60)
    assert child.ended() is None
    child.start(["instruments", "import", str(tmp_path / "nothing.csv")])
    assert child.running
    status, sentence = wait_for(child.ended, timeout_s=30)
    assert (status, sentence) == (
        2,
        "file: 'nothing.csv' is not accepted; it cannot be read (No such file or directory)",
    )
    assert not child.running
    assert child.ended() is None


def test_one_that_takes_too_long_is_ended(free_port: Callable[[], int], wait_for: Callable[..., Any]) -> None:
    now = [0.0]
    child = SubprocessJob(within_s=60, monotonic=lambda: now[0])
    child.start(["simulate", "--port", str(free_port())])
    assert child.ended() is None
    now[0] = 60.0
    assert child.ended() == (-1, "it took longer than 60 s and was ended")
    assert not child.running


def test_one_that_is_killed_is_not_quoted(free_port: Callable[[], int], wait_for: Callable[..., Any]) -> None:
    child = SubprocessJob(within_s=60)
    child.start(["simulate", "--port", str(free_port())])
    assert child._process is not None
    os.kill(child._process.pid, signal.SIGKILL)
    assert wait_for(child.ended, timeout_s=10) == (-9, "it was ended by signal 9; too little memory, perhaps")
    assert not child.running


def test_one_can_be_stopped(free_port: Callable[[], int]) -> None:
    child = SubprocessJob(within_s=60)
    child.stop()
    child.start(["simulate", "--port", str(free_port())])
    child.stop()
    assert not child.running
    assert child.ended() is None


def test_one_ends_when_its_starter_is_killed_outright(
    free_port: Callable[[], int], tmp_path: Path, wait_for: Callable[..., Any]
) -> None:
    """It would go on asking the broker beside the one that the next worker starts, and nobody would end it."""
    pid_file = tmp_path / "pid"
    code = (
        "import pathlib, threading\nfrom ltp.worker.subprocess_job import SubprocessJob\n"
        f"child = SubprocessJob(within_s=60); child.start(['simulate', '--port', '{free_port()}'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(child._process.pid)); threading.Event().wait()"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)})
    pid = int(wait_for(lambda: pid_file.exists() and pid_file.read_text()))
    starter.kill()
    starter.wait()
    wait_for(
        lambda: not os.path.exists(f"/proc/{pid}") or "zombie" in Path(f"/proc/{pid}/status").read_text()
    )


@pytest.fixture(autouse=True)
def _own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    monkeypatch.chdir(tmp_path)  # any folder will do
