"""Child processes kept alive: started in order, restarted with back-off, ended in reverse order.

Knows nothing of their work; `ltp.runner` decides which there are.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

logger = logging.getLogger(__name__)

STARTED_BY = "LTP_STARTED_BY"  # its value: the id of the process at whose end a command must end too
_PR_SET_PDEATHSIG = 1
_LONGEST_WAIT_S = 30.0
_STEADY_AFTER_S = 60.0  # a child that ran this long starts over with the shortest wait


def _end_with_parent() -> None:
    """Have Linux end the child when its parent is killed outright: else it would keep its port."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end_with_starter() -> None:
    """End this command when the process in STARTED_BY is killed outright; at once if it has ended already."""
    starter = os.environ.get(STARTED_BY)
    if not starter or sys.platform != "linux":
        return
    _end_with_parent()
    if str(os.getppid()) != starter:
        sys.exit(1)


@dataclass
class Child:
    """One process.

    `ready`: polled after the first start until it returns True. `stop_within_s`: SIGTERM, then SIGKILL after
    so many seconds. `log_line`: called with each line that it writes; None: it writes to our own output.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    ready: Callable[[], bool] = lambda: True
    stop_within_s: float = 10.0
    log_line: Callable[[str], None] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    wait_s: float = field(default=0.5, init=False)
    restart_at: float = field(default=0.0, init=False)

    def start(self) -> None:
        # A session of its own: a terminal's Ctrl-C reaches only us, and we end the children in order.
        self.process = subprocess.Popen(
            list(self.command),
            env=dict(self.env),
            start_new_session=True,
            stdout=subprocess.PIPE if self.log_line else None,
            stderr=subprocess.STDOUT if self.log_line else None,
            # Safe here: the parent starts children from its main thread only, and the call takes no lock.
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        self.started_at = time.monotonic()
        if self.log_line and self.process.stdout:
            threading.Thread(
                target=_relay, args=(self.process.stdout, self.log_line), name=self.name, daemon=True
            ).start()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        if self.process is None or not self.alive:
            return
        self.process.terminate()
        try:
            self.process.wait(self.stop_within_s)
        except subprocess.TimeoutExpired:
            logger.warning("%s did not end within %.0f s and is killed", self.name, self.stop_within_s)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _relay(output: IO[bytes], log_line: Callable[[str], None]) -> None:
    with output:
        for line in output:
            log_line(line.decode(errors="replace").rstrip())


class Family:
    """The children of this process."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._stopping = threading.Event()

    def add(self, child: Child, *, ready_within_s: float = 20.0) -> bool:
        """Start a child and wait until it is ready; False if it is not in time or must stop."""
        self._children.append(child)
        child.start()
        deadline = time.monotonic() + ready_within_s
        while not self._stopping.is_set() and time.monotonic() < deadline:
            if not child.alive:
                return False
            if child.ready():
                return True
            self._stopping.wait(0.05)
        return False

    def ask_to_stop(self) -> None:
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def watch(self) -> None:
        """Restart each child that ends until `ask_to_stop` is called, then end all, last started first."""
        while not self._stopping.wait(0.25):
            for child in self._children:
                self._revive(child)
        self.end()

    def end(self) -> None:
        for child in reversed(self._children):
            child.stop()

    def _revive(self, child: Child) -> None:
        now = time.monotonic()
        if child.alive:
            return
        if not child.restart_at:
            if now - child.started_at > _STEADY_AFTER_S:
                child.wait_s = 0.5
            child.restart_at = now + child.wait_s
            code = child.process.returncode if child.process else None
            logger.warning("%s ended with %s; it is started again in %.1f s", child.name, code, child.wait_s)
            child.wait_s = min(child.wait_s * 2, _LONGEST_WAIT_S)
        elif now >= child.restart_at:
            child.restart_at = 0.0
            child.start()
