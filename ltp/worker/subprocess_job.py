"""A command of `python -m ltp` in its own process: computing would make the worker's ticks late."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

_NICE: Final = ("nice", "-n", "10")  # the feed and the pages come first
SOME_FAILED: Final = 3  # exit status of a command that did a part of its work
_ROOT: Final = Path(__file__).resolve().parents[2]
_STOP_WITHIN_S: Final = 2.0
_TAIL: Final = 4096


class SubprocessJob:
    """Runs at most one command at a time. No method waits for it, except `stop`. Not thread-safe.

    Args:
        within_s: a command that takes longer, since its start or the last `prolong`, is killed.
        logs: its output is log lines, which go to the worker's own output; else its last line is kept.
    """

    def __init__(
        self, *, within_s: float, logs: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._within_s, self._logs, self._monotonic = within_s, logs, monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._deadline = 0.0
        self._prolonged = False

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, arguments: Sequence[str]) -> None:
        """Start `python -m ltp ARGUMENTS`. Raises OSError where the machine cannot."""
        # It lives as long as the process.
        self._output = None if self._logs else tempfile.TemporaryFile()  # noqa: SIM115
        command = [*_NICE, sys.executable, "-m", "ltp", *arguments]
        # Paths in settings are relative to the folder that the worker was started in, which may be another
        # than the program's; so the command keeps that folder and finds the program by PYTHONPATH.
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        # LTP_STARTED_BY lets the command end with a worker that is killed. Else it would call the broker
        # beside the next worker's command, more often than the account may.
        env = os.environ | {"PYTHONPATH": path, "LTP_STARTED_BY": str(os.getpid())}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output, env=env
        )
        self._deadline = self._monotonic() + self._within_s
        self._prolonged = False

    def prolong(self) -> None:
        """Let the command that runs take `within_s` from now on: it makes progress."""
        self._deadline = self._monotonic() + self._within_s
        self._prolonged = True

    def ended(self) -> tuple[int, str] | None:
        """Return exit status and last line of output, or the reason why it was ended; None while it runs.

        Each end is returned once.
        """
        if self._process is None:
            return None
        status = self._process.poll()
        if status is None:
            if self._monotonic() < self._deadline:
                return None
            self._process.kill()
            self._process.wait()
            self._take_last_line()
            did = "made no progress for" if self._prolonged else "took longer than"
            return -1, f"it {did} {self._within_s:.0f} s and was ended"
        last_line = self._take_last_line()
        if status < 0:  # its last line is about some step of its work, and not about its end
            return status, f"it was ended by signal {-status}; too little memory, perhaps"
        return status, last_line

    def stop(self) -> None:
        """End the command that runs, if any, within two seconds."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._take_last_line()

    def _take_last_line(self) -> str:
        """Forget the process; return the last line of its output that is not empty."""
        output, self._output, self._process = self._output, None, None
        if output is None:
            return ""
        with output:
            output.seek(max(0, output.seek(0, 2) - _TAIL))
            lines = output.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
