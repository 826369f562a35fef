"""The broker's newest one-minute bars for alerts whose touches no packet shows: the day's range holds their level
already, or their packets have none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp.core.trading_day import IST
from ltp.worker.command_job import CommandJob
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
EVERY_S: Final = 120.0
MOST: Final = 40  # instruments in one run, some 10 s of calls; of more each gets its turn
WITHIN_S: Final = 120.0
RETRY_S: Final = 600.0


class BlindFetch(CommandJob):
    """Fetches them, a share of the instruments at a time.

    Args:
        keys: returns the instruments that trade now.
        active, waits: as of CommandJob.
    """

    def __init__(
        self,
        *,
        keys: Callable[[], Sequence[str]],
        active: Callable[[], bool],
        waits: Callable[[], bool],
        command: SubprocessJob | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(command or SubprocessJob(within_s=WITHIN_S), active, waits)
        self._keys = keys
        self._now, self._monotonic = now, monotonic
        self._not_before = monotonic() + EVERY_S  # the worker's first minutes have other work
        self._turn = 0

    def _start_if_due(self) -> None:
        if self._monotonic() < self._not_before:
            return
        self._not_before = self._monotonic() + EVERY_S
        keys = self._next_keys()
        if keys:
            self._start(keys)

    def _note_end(self, status: int, last_line: str) -> None:
        if status != 0:
            self._not_before = self._monotonic() + RETRY_S
            log.warning("Not all bars for alerts were fetched: %s", last_line)

    def _next_keys(self) -> list[str]:
        every = list(self._keys())
        begin = self._turn * MOST % len(every) if len(every) > MOST else 0
        self._turn += 1
        return (every[begin:] + every[:begin])[:MOST]

    def _start(self, keys: list[str]) -> None:
        day = f"{self._now().astimezone(IST).date()}"
        try:
            self._command.start(["candles", "minutes", "fetch", *keys, "--from", day, "--to", day])
        except OSError as error:
            log.warning("The bars for alerts cannot be fetched: %s", error.strerror)
            self._not_before = self._monotonic() + RETRY_S
