"""The process that sends alerts, kept alive: sending waits for receivers, which must never make ticks late."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Final

from ltp.db.alerts import deliveries
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
COMMAND: Final = ["alerts", "deliver"]
LOOK_S: Final = 5.0  # between two looks whether it is needed, while it runs
STEADY_S: Final = 60.0  # after so long the next wait is the shortest again
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0


class DeliveryProcess:
    """A background job: called about once a second, it never waits, except to end the process, two seconds at most.

    The process runs while this worker leads and there is a channel that is on, or a message that waits, such as a
    test of a channel that is off.

    Args:
        active: whether this worker leads.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        active: Callable[[], bool],
        command: SubprocessJob | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._active, self._monotonic = engine, active, monotonic
        self._command = command or SubprocessJob(within_s=math.inf, logs=True)
        self._look_at = self._start_at = float("-inf")
        self._started_at, self._wait_s = 0.0, _FIRST_WAIT_S

    def __call__(self) -> None:
        ended = self._command.ended()
        if ended is not None:
            self._note_end(*ended)
        if not self._active():
            self.stop()
            return
        now = self._monotonic()
        if now < (self._look_at if self._command.running else self._start_at):
            return
        self._look_at = now + LOOK_S
        self._run_while_needed()

    def stop(self) -> None:
        """End the process, if it runs; a message under way waits again."""
        if self._command.running:
            self._command.stop()

    def _run_while_needed(self) -> None:
        try:
            needed = deliveries.is_needed(self._engine)
        except DatabaseError as error:
            log.warning("%s. It is unknown whether alerts are to be sent.", error)
            return
        if not needed:
            self.stop()
        elif not self._command.running:
            self._start()

    def _start(self) -> None:
        self._started_at = self._monotonic()
        try:
            self._command.start(COMMAND)
        except OSError as error:
            self._note_end(-1, f"it cannot be started ({error.strerror})")

    def _note_end(self, status: int, line: str) -> None:
        now = self._monotonic()
        if now - self._started_at > STEADY_S:
            self._wait_s = _FIRST_WAIT_S
        self._start_at = now + self._wait_s
        why = f": {line}" if line else ""
        log.warning("Sending of alerts ended with %d%s; started again in %.0f s", status, why, self._wait_s)
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
