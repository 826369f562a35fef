"""From the feed's thread to the thread "alerts": the hits of every tick, in a queue that makes no tick wait."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from ltp import metrics
from ltp.core.alerts.book import RuleBook
from ltp.core.alerts.watch import Hit
from ltp.core.ticks.tick import TickFields

log = logging.getLogger(__name__)
MOST: Final = 50_000  # hits: every watch at once, some 15 MB


class Inbox:
    """Hits that wait for their decision. Past MOST a hit is lost, counted, and logged once until there is room; its
    watch may fire again, see `take_lost`.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._hits: deque[Hit] = deque()
        self._lost: dict[tuple[int, str], None] = {}  # as many as there are watches at most
        self._is_closed = self._is_full = self._is_woken = False
        self.lost = 0

    def put(self, hits: Sequence[Hit]) -> None:
        with self._changed:
            room = max(0, MOST - len(self._hits))
            self._hits.extend(hits[:room])
            if room < len(hits):
                self._lose(hits[room:])
            self._changed.notify()

    def take(self, wait_s: float) -> list[Hit]:
        """Return all hits, after at most `wait_s`; at once where there are some, after `wake` or `close`."""
        with self._changed:
            if not self._hits and not self._is_closed and not self._is_woken:
                self._changed.wait(wait_s)
            self._is_woken = False
            hits = list(self._hits)
            self._hits.clear()
            self._is_full = False
            return hits

    @property
    def places(self) -> set[tuple[int, str]]:
        """Alert and key of the hits that wait."""
        with self._changed:
            return {(hit.alert_id, hit.key) for hit in self._hits}

    def take_lost(self) -> list[tuple[int, str]]:
        """Return alert and key of the hits that were lost since the last call: their watches wait for a way back
        that may never come.
        """
        with self._changed:
            lost, self._lost = list(self._lost), {}
            return lost

    def wake(self) -> None:
        """End the wait of `take`, or let the next one not wait."""
        with self._changed:
            self._is_woken = True
            self._changed.notify()

    def close(self) -> None:
        """Let no `take` wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _lose(self, hits: Sequence[Hit]) -> None:
        self.lost += len(hits)
        self._lost.update(((hit.alert_id, hit.key), None) for hit in hits)
        metrics.count("alert_hits_lost", len(hits))
        if not self._is_full:
            log.error("Hits of alerts are lost: %d wait for their decision already", MOST)
        self._is_full = True


class AlertTap:
    """A tap, see `worker.tap`. Nothing but the book and the queue runs on the feed's thread."""

    def __init__(self, book: RuleBook, inbox: Inbox, since: Callable[[], int]) -> None:
        """`since`: returns the microsecond at which the feed's connection was subscribed, 0 without one."""
        self._book, self._inbox, self._since_now = book, inbox, since
        self._since = 0

    def __call__(self, ticks: Sequence[TickFields]) -> None:
        since = self._since_now()
        if since != self._since:
            self._since = since
            if since:
                self._book.connected(since)
            else:
                self._book.disconnected()
        hits = self._book.take(ticks)
        if hits:
            self._inbox.put(hits)
