"""The daily work on one-minute bars, or later if missed: at 16:10 in India the broker's in place of those built
here, at 01:00, when every segment is closed, the upkeep.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ltp.core.trading_day import IST
from ltp.errors import NotFoundError
from ltp.worker.command_job import CommandJob
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
HOUR: Final = 1
START_S: Final = 600.0
WITHIN_S: Final = 1_800.0
COMMAND: Final = ("candles", "minutes", "upkeep")
REFILL_AT: Final = timedelta(hours=16, minutes=10)  # the last session of shares ends at 16:00
REFILL_WITHIN_S: Final = 3_600.0  # several thousand instruments at five calls a second, twice over
RETRY_S: Final = 1_800.0
_MOST_RUNS: Final = 3  # of one session: an instrument may fail for good


class BarUpkeep(CommandJob):
    """A background job. Ten minutes after the start of a worker it also runs, because it may have been missed; a
    second run has nothing to do.
    """

    def __init__(
        self,
        *,
        active: Callable[[], bool],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(command or SubprocessJob(within_s=WITHIN_S), active)
        self._now, self._monotonic, self._not_before = now, monotonic, monotonic() + START_S
        self._due = self._done = datetime.min.replace(tzinfo=UTC)  # the night of the last start and success

    def _start_if_due(self) -> None:
        due = _latest_due(self._now())
        if self._done == due or self._monotonic() < self._not_before:
            return
        self._due, self._not_before = due, self._monotonic() + RETRY_S
        try:
            self._command.start(list(COMMAND))
        except OSError as error:
            log.warning("The upkeep of one-minute bars cannot be started: %s", error.strerror)

    def _note_end(self, status: int, last_line: str) -> None:
        if status == 0:
            self._done = self._due
        log.log(logging.INFO if status == 0 else logging.WARNING, "%s", last_line)


class BarRefill(CommandJob):
    """A background job: after each session of shares it starts the fetch of the broker's bars.

    A fetch that fails is tried again half an hour later, at most twice. One that was ended goes on where it
    was, because a session that was fetched after its end is left out.

    Args:
        session_on: the day of the session that is on, or of the last one, at an instant. Raises
            NotFoundError.
        simulated: whether the broker is the simulated exchange. It knows the trades of today only, so bars of
            the session before stay as they were built.
        active, waits: as of CommandJob.
    """

    def __init__(
        self,
        *,
        session_on: Callable[[datetime], date],
        simulated: bool,
        active: Callable[[], bool],
        waits: Callable[[], bool],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(command or SubprocessJob(within_s=REFILL_WITHIN_S), active, waits)
        self._session_on, self._simulated = session_on, simulated
        self._now, self._monotonic, self._not_before = now, monotonic, monotonic() + START_S
        self._day: date | None = None  # the session of the last run
        self._runs, self._is_done = 0, False

    @property
    def waiting(self) -> bool:
        """Whether the work that this one makes way for runs."""
        return self._waits()

    def _start_if_due(self) -> None:
        if self._monotonic() < self._not_before:
            return
        day = self._due()
        if day != self._day:
            self._day, self._runs, self._is_done = day, 0, False
        if day is not None and not self._is_done and self._runs < _MOST_RUNS:
            self._start(day)

    def _due(self) -> date | None:
        """Return the newest session whose bars are to be fetched."""
        try:
            return self._last_session((self._now().astimezone(IST) - REFILL_AT).date())
        except NotFoundError:
            return None

    def _start(self, day: date) -> None:
        self._runs += 1
        first = day
        try:
            # With the session before: commodities traded on in its evening.
            if not self._simulated:
                first = self._last_session(day - timedelta(days=1))
            self._command.start(["candles", "minutes", "fetch", "--from", f"{first}", "--to", f"{day}"])
        except (NotFoundError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            log.warning("The fetch of one-minute bars cannot be started: %s", reason)
            self._not_before = self._monotonic() + RETRY_S

    def _note_end(self, status: int, last_line: str) -> None:
        if status == 0:
            self._is_done = True
            log.info("%s", last_line)
        else:
            self._not_before = self._monotonic() + RETRY_S
            log.warning("Not all one-minute bars were fetched: %s", last_line)

    def _note_way_made(self) -> None:
        self._runs -= 1

    def _last_session(self, day: date) -> date:
        """Return a day if it has a session of shares, else the last one before. Raises NotFoundError."""
        return self._session_on(datetime.combine(day, datetime.max.time(), IST))


def _latest_due(now: datetime) -> datetime:
    due = now.astimezone(IST).replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return due if due <= now else due - timedelta(days=1)
