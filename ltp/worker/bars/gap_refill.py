"""The refill of gaps in mid-session: when the link is back, the broker's bars of the minutes that it lacked."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from ltp.core.trading_day import IST
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
COMMAND: Final = ("candles", "minutes", "fetch", "--uncovered")
AFTER_S: Final = (
    200.0  # the first whole minute after the gap is over then, and the broker has those of the gap
)
EVERY_S: Final = 300.0
MOST_RUNS: Final = 40  # a day; the rest is for the fetch after the session
WITHIN_S: Final = 3_600.0  # 5,000 instruments at two calls a second


class GapRefill:
    """A background job: called about once a second, it never waits.

    Args:
        changes: returns a number that rises with each end of a gap, see `coverage_log`.
        active: returns whether this worker leads.
        waits: returns whether other work calls the broker's charts: this one ends then, because the account
            may make five calls a second in all, and begins again later.
    """

    def __init__(
        self,
        *,
        changes: Callable[[], int],
        active: Callable[[], bool],
        waits: Callable[[], bool],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changes, self._active, self._waits = changes, active, waits
        self._command = command or SubprocessJob(within_s=WITHIN_S)
        self._now, self._monotonic = now, monotonic
        self._seen = self._filled = 0  # changes: that a run waits for or is about, and of the last success
        self._not_before = 0.0
        self._day: date | None = None
        self._runs = 0

    def __call__(self) -> None:
        end = self._command.ended()
        if end is not None:
            self._note_end(*end)
        if self._waits():
            if self._command.running:
                self._command.stop()
                self._not_before = self._monotonic() + EVERY_S
            return
        if self._command.running or not self._active():
            return
        if self._seen == self._filled:
            if self._changes() == self._filled:
                return
            # A later change waits for the next run: its gap may not be over in this one.
            self._seen = self._changes()
            self._not_before = max(self._not_before, self._monotonic() + AFTER_S)
        if self._monotonic() >= self._not_before and self._may_run():
            self._start()

    @property
    def running(self) -> bool:
        return self._command.running

    def stop(self) -> None:
        """End a fetch that runs; what it has stored by then is right."""
        self._command.stop()

    def _may_run(self) -> bool:
        day = self._now().astimezone(IST).date()
        if day != self._day:
            self._day, self._runs = day, 0
        return self._runs < MOST_RUNS

    def _start(self) -> None:
        self._runs += 1
        self._not_before = self._monotonic() + EVERY_S
        try:
            self._command.start(list(COMMAND))
        except OSError as error:
            log.warning("The refill of one-minute bars cannot be started: %s", error.strerror)

    def _note_end(self, status: int, last_line: str) -> None:
        if status == 0:
            self._filled = self._seen
        log.log(logging.INFO if status == 0 else logging.WARNING, "%s", last_line)
