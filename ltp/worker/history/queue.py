"""Requested fetches of history, carried out one after the other, each by a command in its own process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from ltp.db.engine import Engine
from ltp.db.history import jobs
from ltp.db.history.jobs import DAILY, DONE, FAILED, REFILL, REPLACE, Request
from ltp.errors import DatabaseError
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
IDLE_S: Final = 900.0  # without progress; five years of an instrument are 21 calls, five a second
TOUCH_S: Final = 10.0


class HistoryQueue:
    """A background job: called about once a second, it never waits. It comes after all other work.

    A job may take any time, but not 15 minutes without an instrument that is done: then its command is killed, and
    it fails. A job that is paused or cancelled on a page ends by itself: its command looks once a second. One that makes
    way for other work goes on later, after the last instrument that it had fetched.

    Args:
        active: whether this worker leads.
        waits: whether other work calls the broker's charts. A command that runs is ended then, because the
            account may make five calls a second in all.
        busy: whether other work of the worker goes on; a command that runs may go on beside it.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        active: Callable[[], bool],
        waits: Callable[[], bool],
        busy: Callable[[], bool],
        command: SubprocessJob | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._active, self._waits, self._busy = engine, active, waits, busy
        self._command = command or SubprocessJob(within_s=IDLE_S)
        self._monotonic, self._touch_at = monotonic, 0.0
        self._job_id, self._done = 0, 0

    def __call__(self) -> None:
        try:
            ended = self._command.ended()
            if ended is not None:
                self._note_end(*ended)
            if self._waits():
                self.stop()
            elif self._command.running:
                self._touch()
            elif self._active() and not self._busy():
                self._start_next()
        except DatabaseError as error:
            log.warning("%s. History jobs wait.", error)

    @property
    def running(self) -> bool:
        return self._command.running

    def stop(self) -> None:
        """End the command that runs, if any; its job waits again."""
        if not self._command.running:
            return
        self._command.stop()
        try:
            jobs.set_aside(self._engine, self._job_id)
        except DatabaseError as error:  # without a sign of life it waits again in a minute
            log.warning("%s", error)

    def _touch(self) -> None:
        if self._monotonic() >= self._touch_at:
            self._touch_at = self._monotonic() + TOUCH_S
            done = jobs.touch(self._engine, self._job_id)
            if done is not None and done != self._done:
                self._done = done
                self._command.prolong()

    def _start_next(self) -> None:
        job = jobs.claim_next(self._engine)
        if job is None:
            return
        self._job_id, self._done = job.id, job.done
        self._touch_at = self._monotonic() + TOUCH_S
        try:
            self._command.start([*command_of(job.request), "--job", str(job.id)])
        except OSError as error:
            jobs.end(self._engine, job.id, FAILED, f"it cannot be started ({error.strerror})")

    def _note_end(self, status: int, last_line: str) -> None:
        line = last_line or f"it ended with status {status}"
        if jobs.end(self._engine, self._job_id, DONE if status == 0 else FAILED, line):
            level = logging.INFO if status == 0 else logging.WARNING
            log.log(level, "History job %d: %s", self._job_id, line)
        else:
            log.info("History job %d was paused or cancelled", self._job_id)


def command_of(request: Request) -> list[str]:
    """Return the arguments of `python -m ltp` that carry out a request."""
    listed = ["--universe", request.universe] if request.universe else []
    if request.action == DAILY:
        return ["candles", "fetch", *listed]
    days = ["--from", f"{request.first_day}", "--to", f"{request.last_day}"]
    how = {REFILL: ["--gaps"], REPLACE: ["--again"]}.get(request.action, [])
    return ["candles", "minutes", "fetch", *request.keys, *listed, *days, *how]
