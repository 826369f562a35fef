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


def test_the_end_has_the_status_and_the_last_line_of_output(
    tmp_path: Path, wait_for: Callable[..., Any]
) -> None:
    job = SubprocessJob(within_s=60)
    assert job.ended() is None
    job.start(["instruments", "import", str(tmp_path / "nothing.csv")])
    assert job.running
    status, sentence = wait_for(job.ended, timeout_s=30)
    assert (status, sentence) == (
        2,
        "file: 'nothing.csv' is not accepted; it cannot be read (No such file or directory)",
    )
    assert not job.running
    assert job.ended() is None


def test_a_command_that_takes_too_long_is_ended(
    free_port: Callable[[], int], wait_for: Callable[..., Any]
) -> None:
    now = [0.0]
    job = SubprocessJob(within_s=60, monotonic=lambda: now[0])
    job.start(["simulate", "--port", str(free_port())])
    assert job.ended() is None
    now[0] = 60.0
    assert job.ended() == (-1, "it took longer than 60 s and was ended")
    assert not job.running


def test_a_command_that_makes_progress_may_take_any_time(free_port: Callable[[], int]) -> None:
    now = [0.0]
    job = SubprocessJob(within_s=60, monotonic=lambda: now[0])
    job.start(["simulate", "--port", str(free_port())])
    for at in (59.0, 118.0, 177.0):
        now[0] = at
        assert job.ended() is None
        job.prolong()
    now[0] = 237.0
    assert job.ended() == (-1, "it made no progress for 60 s and was ended")
    assert not job.running


def test_the_output_of_a_killed_command_is_not_its_reason(
    free_port: Callable[[], int], wait_for: Callable[..., Any]
) -> None:
    job = SubprocessJob(within_s=60)
    job.start(["simulate", "--port", str(free_port())])
    assert job._process is not None
    os.kill(job._process.pid, signal.SIGKILL)
    assert wait_for(job.ended, timeout_s=10) == (-9, "it was ended by signal 9; too little memory, perhaps")
    assert not job.running


def test_a_command_can_be_stopped(free_port: Callable[[], int]) -> None:
    job = SubprocessJob(within_s=60)
    job.stop()
    job.start(["simulate", "--port", str(free_port())])
    job.stop()
    assert not job.running
    assert job.ended() is None


def test_a_command_ends_when_the_worker_is_killed(
    free_port: Callable[[], int], tmp_path: Path, wait_for: Callable[..., Any]
) -> None:
    """Else it would call the broker beside the command of the next worker, and nothing would end it."""
    pid_file = tmp_path / "pid"
    code = (
        "import pathlib, threading\nfrom ltp.worker.subprocess_job import SubprocessJob\n"
        f"job = SubprocessJob(within_s=60); job.start(['simulate', '--port', '{free_port()}'])\n"
        f"pathlib.Path({str(pid_file)!r}).write_text(str(job._process.pid)); threading.Event().wait()"
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
