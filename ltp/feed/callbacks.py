"""The callables of other layers that the feed's thread calls, fenced: their exceptions end no connection."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.core.ticks.tick import TickFields

LOG_EVERY_S: Final = 60.0

_log = logging.getLogger("ltp.feed.supervisor")


class Callbacks:
    """`on_ticks` and `on_change` of a Supervisor, which may fail. For the feed's thread."""

    def __init__(
        self,
        on_ticks: Callable[[list[TickFields]], float],
        on_change: Callable[[], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._on_ticks, self._on_change, self._monotonic = on_ticks, on_change, monotonic
        self._logged = float("-inf")

    def hand_over(self, ticks: list[TickFields]) -> float:
        try:
            return self._on_ticks(ticks)
        except Exception:  # noqa: BLE001 - the receiver may fail; reading on keeps the connection
            self.log_fault("Ticks could not be handed over; the feed goes on")
            return 0.0

    def report_change(self) -> None:
        try:
            self._on_change()
        except Exception:  # noqa: BLE001 - as above
            self.log_fault("A change of the feed could not be passed on; the feed goes on")

    def log_fault(self, sentence: str) -> None:
        """Count the current exception; log it at most once a minute, because it may come with every tick."""
        metrics.count("feed_faults_of_ours")
        now = self._monotonic()
        if now - self._logged >= LOG_EVERY_S:
            self._logged = now
            _log.error(sentence, exc_info=True)
