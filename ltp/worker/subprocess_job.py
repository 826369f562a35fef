"""One command of ours in a process of its own: what takes seconds of computing must not share a process with
live prices.
"""

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
_ROOT: Final = Path(__file__).resolve().parents[2]
_STOP_WITHIN_S: Final = 2.0
_TAIL: Final = 4096


class SubprocessJob:
    """At most one at a time. No call waits for it, so a schedule can look after it. Not thread-safe.

    Args:
        within_s: it is ended when it takes longer.
    """

    def __init__(self, *, within_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._within_s, self._monotonic = within_s, monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._latest = 0.0

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self, words: Sequence[str]) -> None:
        """Start `python -m ltp WORDS`. Raises OSError when the machine cannot."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        command = [*_NICE, sys.executable, "-m", "ltp", *words]
        # The folder we were started in may be another than the program's, and has to stay it: paths of
        # settings are relative.
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        # Else it outlives a worker that is killed, and asks the broker beside the next worker's, more often
        # than both may.
        env = os.environ | {"PYTHONPATH": path, "LTP_STARTED_BY": str(os.getpid())}
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said, env=env
        )
        self._latest = self._monotonic() + self._within_s

    def ended(self) -> tuple[int, str] | None:
        """Return the exit status and the last line it said, or what ended it, once, after it has ended; None
        before that.
        """
        if self._process is None or self._said is None:
            return None
        status = self._process.poll()
        if status is None:
            if self._monotonic() < self._latest:
                return None
            self._process.kill()
            self._process.wait()
            self._forget()
            return -1, f"it took longer than {self._within_s:.0f} s and was ended"
        said = self._forget()
        # Whatever it said last, it was in the midst of its work.
        return status, f"it was ended by signal {-status}; too little memory, perhaps" if status < 0 else said

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
            self._forget()

    def _forget(self) -> str:
        said, self._said, self._process = self._said, None, None
        if said is None:
            return ""
        with said:
            said.seek(max(0, said.seek(0, 2) - _TAIL))
            lines = said.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
