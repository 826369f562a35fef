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
from ltp.worker.subprocess_job import SubprocessJob

log = logging.getLogger(__name__)
EVERY_S: Final = 120.0
MOST: Final = 40  # instruments in one run, some 10 s of calls; of more each gets its turn
WITHIN_S: Final = 120.0
RETRY_S: Final = 600.0


class BlindFetch:
    """A background job: called about once a second, it never waits.

    Args:
        keys: returns the instruments that trade now.
        active: returns whether this worker leads.
        waits: returns whether other work calls the broker's charts: this one ends then, because the account
            may make five calls a second in all.
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
        self._keys, self._active, self._waits = keys, active, waits
        self._command = command or SubprocessJob(within_s=WITHIN_S)
        self._now, self._monotonic = now, monotonic
        self._not_before = monotonic() + EVERY_S  # the worker's first minutes have other work
        self._turn = 0

    def __call__(self) -> None:
        ended = self._command.ended()
        if ended is not None and ended[0] != 0:
            self._not_before = self._monotonic() + RETRY_S
            log.warning("Not all bars for alerts were fetched: %s", ended[1])
        if self._waits():
            self._command.stop()
            return
        if self._command.running or self._monotonic() < self._not_before or not self._active():
            return
        self._not_before = self._monotonic() + EVERY_S
        keys = self._next_keys()
        if keys:
            self._start(keys)

    @property
    def running(self) -> bool:
        return self._command.running

    def stop(self) -> None:
        """End a fetch that runs; what it has stored by then is right."""
        self._command.stop()

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
