"""The refill of gaps in mid-session: when the link is back, the broker's bars of the minutes that it lacked."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

from ltp.core.trading_day import IST
from ltp.worker.bars.coverage_log import GapEnds
from ltp.worker.command_job import CommandJob
from ltp.worker.subprocess_job import SOME_FAILED, SubprocessJob

log = logging.getLogger(__name__)
COMMAND: Final = ("candles", "minutes", "fetch", "--uncovered")
AFTER_S: Final = (
    200.0  # the first whole minute after the gap is over then, and the broker has those of the gap
)
EVERY_S: Final = 300.0
COLLECTED_S: Final = 1_800.0  # visitors subscribe all day, and each run has the history job make way
MOST_RUNS: Final = 40  # a day, after reconnects; the rest is for the fetch after the session
MOST_COLLECTED: Final = 32  # a day, after subscriptions: from 08:00 to midnight
MOST_WAIT_S: Final = 3_600.0  # between failed runs
WITHIN_S: Final = 3_600.0  # 5,000 instruments at two calls a second


class _Ends:
    """The ends of gaps of one kind, and its budget of runs.

    Args:
        every_s: the least time from one run for this kind to the next.
        most: runs a day.
    """

    def __init__(self, every_s: float, most: int) -> None:
        self._every_s, self._most = every_s, most
        # Counts of ends: the newest, those of the last success, and those that the present run is about.
        self._noted = self._filled = self._running = 0
        self._waiting: int | None = None  # the count that a run is to reach
        self._noted_at = self._waiting_at = self._ready_at = self._not_before = 0.0
        self._runs = 0

    def look(self, count: int, now: float) -> None:
        """Take the present count."""
        if count != self._noted:
            self._noted, self._noted_at = count, now
            self._ready_at = min(self._ready_at, self._earliest(now))  # it need not wait for a repeated run
        if self._waiting is None and count != self._filled:
            # A later end waits for the next run: its gap may not be over in this one.
            self._waiting, self._waiting_at = count, now
            self._ready_at = self._earliest(now)

    def is_due(self, now: float) -> bool:
        return self._waiting is not None and now >= self._ready_at and self._runs < self._most

    def spend(self, now: float) -> None:
        """Count a run of this kind."""
        self._runs += 1
        self._not_before = now + self._every_s

    def begin(self, now: float) -> None:
        """Note which gaps are over, so that a run of either kind fills them."""
        self._running = self._filled
        if now - self._noted_at >= AFTER_S:
            self._running = self._noted
        elif self._waiting is not None and now - self._waiting_at >= AFTER_S:
            self._running = self._waiting

    def done(self) -> None:
        self._filled = self._running
        if self._waiting is not None and self._waiting <= self._running:
            self._waiting = None

    def repeat(self, at: float) -> None:
        """Let what waits wait until then."""
        self._ready_at = max(at, self._not_before)

    def follow(self, at: float) -> None:
        """Let a run follow then though no gap has ended since."""
        if self._waiting is None:
            self._waiting, self._waiting_at = self._noted, self._noted_at
            self.repeat(at)

    def new_day(self) -> None:
        self._runs = 0

    def _earliest(self, now: float) -> float:
        return max(now + AFTER_S, self._not_before)


class GapRefill(CommandJob):
    """A background job.

    Reconnects and subscriptions have budgets of their own, so that visitors do not spend that of the link. A
    run fills the gaps of both. One that failed is repeated after a wait that doubles up to an hour; instruments
    that failed while others did not are asked for with the next subscriptions, or half an hour later.

    Args:
        changes: returns the ends of gaps so far, see `coverage_log`.
        active, waits: as of CommandJob.
    """

    def __init__(
        self,
        *,
        changes: Callable[[], GapEnds],
        active: Callable[[], bool],
        waits: Callable[[], bool],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(command or SubprocessJob(within_s=WITHIN_S), active, waits)
        self._changes, self._now, self._monotonic = changes, now, monotonic
        self._reconnects, self._subscriptions = _Ends(EVERY_S, MOST_RUNS), _Ends(COLLECTED_S, MOST_COLLECTED)
        self._kinds = (self._reconnects, self._subscriptions)
        self._not_before = 0.0
        self._failures = 0  # in a row
        self._day: date | None = None

    def _start_if_due(self) -> None:
        now = self._monotonic()
        for kind, count in zip(self._kinds, self._changes(), strict=True):
            kind.look(count, now)
        self._begin_day()
        due = next((kind for kind in self._kinds if kind.is_due(now)), None)
        if due is not None and now >= self._not_before:
            self._start(due, now)

    def _begin_day(self) -> None:
        day = self._now().astimezone(IST).date()
        if day != self._day:
            self._day = day
            for kind in self._kinds:
                kind.new_day()

    def _start(self, due: _Ends, now: float) -> None:
        due.spend(now)
        for kind in self._kinds:
            kind.begin(now)
        self._not_before = now + EVERY_S
        try:
            self._command.start(list(COMMAND))
        except OSError as error:
            log.warning("The refill of one-minute bars cannot be started: %s", error.strerror)

    def _note_way_made(self) -> None:
        self._not_before = self._monotonic() + EVERY_S

    def _note_end(self, status: int, last_line: str) -> None:
        now = self._monotonic()
        if status in (0, SOME_FAILED):
            self._failures = 0
            for kind in self._kinds:
                kind.done()
            if status == SOME_FAILED:
                self._subscriptions.follow(now + COLLECTED_S)
        else:
            wait = min(MOST_WAIT_S, EVERY_S * 2**self._failures)
            self._failures += wait < MOST_WAIT_S
            for kind in self._kinds:
                kind.repeat(now + wait)
        log.log(logging.INFO if status == 0 else logging.WARNING, "%s", last_line)
