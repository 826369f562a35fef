"""The daily upkeep of one-minute bars: at 01:00 in India, when every segment is closed, or later if missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from ltp.core.trading_day import IST
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
HOUR: Final = 1
START_S: Final = 600.0
RETRY_S: Final = 900.0
WITHIN_S: Final = 1_800.0
COMMAND: Final = ("candles", "minutes", "upkeep")


class BarUpkeep:
    """A background job: called about once a second, it never waits. Ten minutes after the start of a worker
    it also runs, because it may have been missed; a second run has nothing to do.

    Args:
        active: returns whether this worker leads.
    """

    def __init__(
        self,
        *,
        active: Callable[[], bool],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._active, self._now = active, now
        self._command = command or SubprocessJob(within_s=WITHIN_S)
        self._monotonic, self._not_before = monotonic, monotonic() + START_S
        self._due = self._done = datetime.min.replace(tzinfo=UTC)  # the night of the last start and success

    def __call__(self) -> None:
        ended = self._command.ended()
        if ended is not None:
            self._log_end(*ended)
        due = _latest_due(self._now())
        if self._command.running or self._done == due or self._monotonic() < self._not_before:
            return
        if not self._active():
            return
        self._due, self._not_before = due, self._monotonic() + RETRY_S
        try:
            self._command.start(list(COMMAND))
        except OSError as error:
            log.warning("The upkeep of one-minute bars cannot be started: %s", error.strerror)

    def _log_end(self, status: int, last_line: str) -> None:
        if status == 0:
            self._done = self._due
        log.log(logging.INFO if status == 0 else logging.WARNING, "%s", last_line)

    def stop(self) -> None:
        """End an upkeep that runs; what it has done by then is right."""
        self._command.stop()


def _latest_due(now: datetime) -> datetime:
    due = now.astimezone(IST).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)
