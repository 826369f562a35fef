"""The daily import of the instrument master: at 08:00 in India, before pre-open, or later if missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from ltp.core.trading_day import IST
from ltp.errors import DatabaseError
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
HOUR: Final = 8
LOOK_EVERY_S: Final = 30.0
RETRY_S: Final = 900.0
WITHIN_S: Final = 600.0


class DailyImport:
    """A background job: called about once a second, it never waits. A failed import changes nothing, and is
    tried again after 15 minutes.

    Args:
        place: file or address of the master; "": it is never fetched.
        active: whether this worker leads.
        last_import: the instant of the last good import, None when there was none. Raises DatabaseError.
    """

    def __init__(
        self,
        place: str,
        *,
        active: Callable[[], bool],
        last_import: Callable[[], datetime | None],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place, self._active, self._last_import = place, active, last_import
        self._command, self._now = command or SubprocessJob(within_s=WITHIN_S), now
        self._monotonic = monotonic
        self._not_before = float("-inf")

    def __call__(self) -> None:
        ended = self._command.ended()
        if ended is not None:
            self._log_end(*ended)
        if (
            not self._place
            or self._command.running
            or self._monotonic() < self._not_before
            or not self._active()
        ):
            return
        self._not_before = self._monotonic() + LOOK_EVERY_S
        if self._due():
            # Also for an import that succeeds: were its file of no use, the command would run again at once.
            self._not_before = self._monotonic() + RETRY_S
            log.info("Fetching the day's instrument master")
            try:
                self._command.start(["instruments", "import", self._place])
            except OSError as error:
                log.warning("The import of the instrument master cannot be started: %s", error.strerror)

    def stop(self) -> None:
        """End an import that runs; the rows that it has stored by then are right."""
        self._command.stop()

    def _due(self) -> bool:
        try:
            last = self._last_import()
        except DatabaseError:
            return False  # the import would fail on the same database
        return last is None or last < latest_due(self._now())

    def _log_end(self, status: int, last_line: str) -> None:
        if status == 0:
            log.info("%s", last_line)
        else:
            log.warning("The instrument master was not imported, what is known stays as it is: %s", last_line)


def latest_due(now: datetime) -> datetime:
    """Return the newest 08:00 in India that is not after `now`."""
    due = now.astimezone(IST).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)
