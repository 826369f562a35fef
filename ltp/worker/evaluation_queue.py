"""Requested evaluations of screens: carried out one after the other, each by a command in its own process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ltp.db import evaluations
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
WITHIN_S: Final = 300.0


class EvaluationQueue:
    """A background job: called about once a second, it never waits. A failed evaluation stores its reason,
    and the last run stays.

    Args:
        active: whether this worker leads.
    """

    def __init__(
        self, engine: Engine, *, active: Callable[[], bool], command: SubprocessJob | None = None
    ) -> None:
        self._engine, self._active = engine, active
        self._command = command or SubprocessJob(within_s=WITHIN_S)
        self._request_id = 0

    def __call__(self) -> None:
        try:
            ended = self._command.ended()
            if ended is not None:
                self._note_end(*ended)
            if not self._command.running and self._active():
                self._start_next()
        except DatabaseError as error:
            log.warning("%s. Screens wait.", error)

    @property
    def running(self) -> bool:
        return self._command.running

    def stop(self) -> None:
        """End the evaluation under way, and store that for the pages which show its progress."""
        if self._command.running:
            self._command.stop()
            try:
                evaluations.fail(self._engine, self._request_id, "the worker stopped")
            except DatabaseError as error:
                log.warning("%s", error)

    def _start_next(self) -> None:
        queued = evaluations.next_queued(self._engine)
        if queued is None:
            return
        self._request_id = queued.id
        try:
            self._command.start(["screeners", "run", "--request", str(queued.id)])
        except OSError as error:
            evaluations.fail(self._engine, queued.id, f"the evaluation cannot be started ({error.strerror})")

    def _note_end(self, status: int, last_line: str) -> None:
        if status == 0:
            log.info("%s", last_line)
            return
        log.warning("A screen was not evaluated: %s", last_line)
        # The command stores its own reason, which then stays; a command that was killed cannot.
        evaluations.fail(
            self._engine, self._request_id, last_line or f"the evaluation ended with status {status}"
        )
