"""The trading hours on the open quote pages of this process: a session that begins or ends shows by itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from ltp import metrics
from ltp.core.market.session import Calendar
from ltp.hub.hub import Hub
from ltp.hub.insets import Inset
from ltp.web.quote.hours import day_hours, hours_markup

ROUND_S: Final = 1.0
PAGE_S: Final = 30.0  # life of a page without a stream

log = logging.getLogger(__name__)


class LiveHours:
    """One inset a segment, drawn once for all pages; without an open quote page the thread waits."""

    def __init__(
        self,
        hub: Hub,
        calendar: Callable[[], Calendar],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub, self._calendar, self._clock, self._monotonic = hub, calendar, clock, monotonic
        self._insets: dict[str, Inset] = {}
        self._shown_until = float("-inf")
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> threading.Thread:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hours", daemon=True)
            self._thread.start()
        return self._thread

    def watch(self, segment: str) -> Inset:
        """Return the hours of a segment for a page that is open."""
        inset = self._insets.setdefault(segment, Inset(f"hours {segment}"))
        self._draw(segment, inset)
        self._shown_until = self._monotonic() + PAGE_S
        self._wake.set()
        return inset

    def round(self) -> bool:
        """Draw the hours of the segments that were shown; return whether a page may still show any."""
        now = self._monotonic()
        if any(inset.views for inset in self._insets.values()):
            self._shown_until = now + PAGE_S
        for segment, inset in list(self._insets.items()):
            self._draw(segment, inset)
        return now < self._shown_until

    def _draw(self, segment: str, inset: Inset) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        markup = hours_markup(day_hours(self._calendar(), segment, now))
        self._hub.set_inset(inset, "hours", f'<hx-partial id="hours">{markup}</hx-partial>')

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                while self.round():
                    time.sleep(ROUND_S)
            except Exception:
                metrics.count("hours_faults")
                log.exception("The trading hours of quote pages could not be drawn; prices are not affected")
                time.sleep(ROUND_S)
                self._wake.set()
