"""When the instrument master is fetched: once a day at 08:00 in India, before pre-open, and at once when that
was missed.
"""

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
_COMMAND: Final = ("instruments", "import")


class DailyImport:
    """Call it every second or so; it never waits. A failed import leaves what is known and is tried again in
    15 minutes.

    Args:
        place: where the master is; empty: never.
        active: whether this worker is the one to do it.
        last_import: the instant of the last good import, None when there was none. Raises DatabaseError.
    """

    def __init__(
        self,
        place: str,
        *,
        active: Callable[[], bool],
        last_import: Callable[[], datetime | None],
        child: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place, self._active, self._last_import = place, active, last_import
        self._child, self._now, self._monotonic = child or SubprocessJob(within_s=WITHIN_S), now, monotonic
        self._not_before = float("-inf")

    def __call__(self) -> None:
        ended = self._child.ended()
        if ended is not None:
            self._tell(*ended)
        if (
            not self._place
            or self._child.running
            or self._monotonic() < self._not_before
            or not self._active()
        ):
            return
        self._not_before = self._monotonic() + LOOK_EVERY_S
        if self._due():
            # Also where the command succeeds and imports nothing of use, or it would run again and again.
            self._not_before = self._monotonic() + RETRY_S
            log.info("Fetching the day's instrument master")
            try:
                self._child.start([*_COMMAND, self._place])
            except OSError as error:
                log.warning("The import of the instrument master cannot be started: %s", error.strerror)

    def stop(self) -> None:
        """End an import that runs; what it has stored by then is right."""
        self._child.stop()

    def _due(self) -> bool:
        try:
            last = self._last_import()
        except DatabaseError:
            return False  # the import would not get further
        return last is None or last < latest_due(self._now())

    def _tell(self, status: int, sentence: str) -> None:
        if status == 0:
            log.info("%s", sentence)
        else:
            log.warning("The instrument master was not imported, what is known stays as it is: %s", sentence)


def latest_due(now: datetime) -> datetime:
    """Return the newest 08:00 in India that is not after `now`."""
    due = now.astimezone(IST).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)
