"""Forming bars into Redis: those of the instruments that an open chart shows, a few times a second.

The thread reads which ones are wanted, takes their newest bars from the builder and publishes those that changed.
While no chart is open it sends one short question a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ltp import metrics
from ltp.core.bars.bar import Bar
from ltp.core.bars.forming import FormingBatch
from ltp.errors import StoreError

log = logging.getLogger(__name__)
PUBLISH_S: Final = 0.4
LOOK_S: Final = 1.0
RENEW_S: Final = 5.0  # a page takes a worker for dead that publishes nothing for 8 s
STOP_S: Final = 2.0

Bars = Mapping[str, Sequence[Bar]]


class FormingBars(threading.Thread):
    """Its end does not end the worker: prices go on, and charts show the bars that are stored."""

    def __init__(
        self,
        *,
        wanted: Callable[[float], Sequence[str]],
        recent: Callable[[Sequence[str]], Bars],
        publish: Callable[[FormingBatch], None],
        source: str,
        may_write: Callable[[], object],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wire the thread.

        Args:
            wanted: returns the keys that are wanted at an instant, seconds since the epoch; raises StoreError.
            recent: returns the newest bars by key; a key without any is missing.
            publish: raises StoreError.
            source: of the prices, "dhanhq" or "simulator".
            may_write: returns whether this worker leads.
        """
        super().__init__(name="forming bars", daemon=True)
        self._read_wanted, self._recent, self._publish = wanted, recent, publish
        self._source, self._may_write, self._clock, self._monotonic = source, may_write, clock, monotonic
        self._wanted: Sequence[str] = ()
        self._sent: dict[str, Sequence[Bar]] = {}
        self._look_at = self._renew_at = 0.0
        self._is_failing = False
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(PUBLISH_S if self._wanted else LOOK_S):
            try:
                self.round()
            except Exception:
                metrics.count("forming_bar_faults")
                log.exception("A round of forming bars failed; the next one follows")

    def stop(self) -> None:
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)

    def round(self) -> None:
        """Publish what changed since the last round, and all of it every few seconds."""
        if not self._may_write():
            self._sent.clear()
            return
        try:
            self._look()
            if self._wanted:
                self._send()
        except StoreError as error:
            self._sent.clear()
            if not self._is_failing:
                log.warning("Forming bars are not published: %s", error)
            self._is_failing = True
        else:
            self._is_failing = False

    def _look(self) -> None:
        now = self._monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._wanted = self._read_wanted(self._clock())

    def _send(self) -> None:
        now = self._monotonic()
        is_due = now >= self._renew_at
        bars = self._recent(self._wanted)
        changed = {key: found for key, found in bars.items() if is_due or found != self._sent.get(key)}
        if changed or is_due:
            self._publish(FormingBatch(self._source, changed))
            self._sent = dict(bars)
        if is_due:
            self._renew_at = now + RENEW_S
