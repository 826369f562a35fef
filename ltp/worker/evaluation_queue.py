"""Requests to evaluate a screen, carried out one after the other, each by a command in a process of its own."""

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
    """Call it every second or so; it never waits. A request that fails says why, and what was found before
    stays.

    Args:
        active: whether this worker is the one to do it.
    """

    def __init__(
        self, engine: Engine, *, active: Callable[[], bool], child: SubprocessJob | None = None
    ) -> None:
        self._engine, self._active = engine, active
        self._child = child or SubprocessJob(within_s=WITHIN_S)
        self._request = 0

    def __call__(self) -> None:
        try:
            self._tell(self._child.ended())
            if not self._child.running and self._active():
                self._start_next()
        except DatabaseError as error:
            log.warning("%s. Screens wait.", error)

    def stop(self) -> None:
        """End what is under way; whoever watches it learns that it ended."""
        if self._child.running:
            self._child.stop()
            try:
                evaluations.fail(self._engine, self._request, "the worker stopped")
            except DatabaseError as error:
                log.warning("%s", error)

    def _start_next(self) -> None:
        waiting = evaluations.next_queued(self._engine)
        if waiting is None:
            return
        self._request = waiting.id
        try:
            self._child.start(["screeners", "run", "--request", str(waiting.id)])
        except OSError as error:
            evaluations.fail(self._engine, waiting.id, f"the evaluation cannot be started ({error.strerror})")

    def _tell(self, ended: tuple[int, str] | None) -> None:
        if ended is None:
            return
        status, sentence = ended
        if status == 0:
            log.info("%s", sentence)
            return
        log.warning("A screen was not evaluated: %s", sentence)
        # It says so itself where it can; what was killed cannot.
        evaluations.fail(
            self._engine, self._request, sentence or f"the evaluation ended with status {status}"
        )
