"""What the feed's thread calls of others: an exception of theirs must not end the connection, nor fill the
log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.core.ticks.tick import TickFields

COMPLAIN_EVERY_S: Final = 60.0

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
        self._complained = float("-inf")

    def hand_over(self, ticks: list[TickFields]) -> float:
        try:
            return self._on_ticks(ticks)
        except Exception:  # noqa: BLE001 - what takes the ticks may fail; reading on keeps the connection
            self.complain("Ticks could not be handed over; the feed goes on")
            return 0.0

    def tell_change(self) -> None:
        try:
            self._on_change()
        except Exception:  # noqa: BLE001 - as above
            self.complain("A change of the feed could not be passed on; the feed goes on")

    def complain(self, sentence: str) -> None:
        """Count the exception under way; log it at most once a minute: what fails for one tick fails for all."""
        metrics.count("feed_faults_of_ours")
        now = self._monotonic()
        if now - self._complained >= COMPLAIN_EVERY_S:
            self._complained = now
            _log.error(sentence, exc_info=True)
