"""The one loop that sends: events when views are due, heartbeats, rotation, farewells.

Between the views and the sockets. Never waits for anything but the next thing to do, and never ends.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.hub.sockets import Sockets
from ltp.hub.view import Delivery, View, farewell
from ltp.hub.views import Views

HEARTBEAT_S: Final = 5.0
_PULSE_S: Final = 1.0
_STALL_CHECK_S: Final = 0.25
_DRAIN_STEP_S: Final = 0.05
_GROUPS: Final = 10  # of many views within the least interval: each round has a price, the more so with caches gone cold
_TOGETHER: Final = 32  # views whose events are made before they are written

log = logging.getLogger(__name__)


class Drain:
    """How the browsers are sent away: `total` of them over `within_s`, each told to come back at its own time."""

    def __init__(self, fds: list[int], within_s: float, now_s: float) -> None:
        random.shuffle(fds)
        self._left, self._began_s, self._within_s, self._total = fds, now_s, within_s, len(fds)
        self.next_s = now_s

    def batch(self, now_s: float) -> list[int]:
        """Return the browsers whose turn has come. Those who could not be told yet are handed back by `again`."""
        self.next_s = now_s + _DRAIN_STEP_S
        passed = min(1.0, (now_s - self._began_s + _DRAIN_STEP_S) / self._within_s)
        keep = int(self._total * (1 - passed))
        batch, self._left = self._left[keep:], self._left[:keep]
        return batch

    def again(self, fds: list[int]) -> None:
        self._left = fds + self._left

    def late(self, now_s: float) -> bool:
        """Tell whether even those who are in the middle of an event have had their time."""
        return now_s - self._began_s > self._within_s + _PULSE_S


def retry_ms(browsers: int) -> int:
    """Return when one of so many browsers may come back: spread so that at most about a thousand a second do."""
    return 1_000 + int(random.random() * max(1_000, browsers))


def rotation_retry_ms() -> int:
    return random.randint(500, 1_500)


class Writer(threading.Thread):
    def __init__(
        self,
        views: Views,
        sockets: Sockets,
        lock: threading.RLock,
        pulse: Callable[[], None],
        *,
        wake: threading.Event,
        min_interval_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`pulse`: called once a second, to work the states of prices out again. `wake`: set when there is something to do."""
        super().__init__(name="writer", daemon=True)
        self._views, self._sockets, self._lock, self._pulse = views, sockets, lock, pulse
        self._wake, self._min_interval_s, self._monotonic = wake, min_interval_s, monotonic
        self._step_s = min_interval_s / _GROUPS
        self._next_pulse_s = self._next_stall_check_s = self._round_s = 0.0
        self._drain: Drain | None = None
        self._stopped = False

    @property
    def draining(self) -> bool:
        return self._drain is not None

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def drain(self, within_s: float) -> None:
        """Begin to send every browser away, spread over `within_s`. Prices go on for those who wait their turn."""
        if self._drain is None:
            self._drain = Drain(self._sockets.descriptors(), within_s, self._monotonic())
            with self._lock:
                for view in self._views:
                    view.flushed.notify_all()
            self._wake.set()

    def run(self) -> None:
        while not self._stopped:
            try:
                wait_s = self.round()
            except Exception:  # without this loop no browser hears anything again
                metrics.count("writer_failed")
                log.exception("A round of events failed")
                wait_s = _PULSE_S
            if wait_s > 0:
                self._wake.wait(wait_s)
            else:
                time.sleep(0)  # a wait of zero would let nobody else run, the relay neither

    def round(self) -> float:
        """Do everything that is due; return the seconds until something will be."""
        self._wake.clear()  # before looking: what comes from here on starts another round
        self._round_s = self._monotonic()
        self._sockets.settle()
        self._send_due()
        now = self._monotonic()
        if now >= self._next_pulse_s:
            self._next_pulse_s = now + _PULSE_S
            self._beat(now)
        if now >= self._next_stall_check_s:
            self._next_stall_check_s = now + _STALL_CHECK_S
            self._sockets.cut_stalled()
        if self._drain and now >= self._drain.next_s:
            self._send_away(self._drain, now)
        self._sockets.close_ended()
        return self._wait_s()

    def _send_due(self) -> None:
        """Make the events of some views, write them, and so on.

        Not one by one: what makes an event and what the kernel does to send it throw each other out of the caches. Not all at
        once either: the events themselves have to stay in there. Views that rest from the same instant stay together, and so
        a round that takes long parts them: else the last of them would always come late.
        """
        began = self._monotonic()
        with self._lock:
            due = self._views.due(began)
        for start in range(0, len(due), _TOGETHER):
            now = began
            if self._step_s:
                now += (self._monotonic() - began) // self._step_s * self._step_s
            deliveries: list[Delivery] = []
            try:
                with self._lock:
                    for view in due[start : start + _TOGETHER]:
                        deliveries.append(self._deliver(view, now))
            finally:  # what is made is owed: its views have moved on
                for delivery in deliveries:
                    if delivery.event:
                        self._sockets.write(delivery)

    def _deliver(self, view: View, now: float) -> Delivery:
        self._views.sleep(view)  # first: should it fail, the next change wakes it
        delivery = view.deliver()
        if delivery.event:
            view.sent_s = now
            self._views.rest(view, now + self._min_interval_s)
        return delivery

    def _beat(self, now: float) -> None:
        """Once a second: states, quiet views, browsers that have stayed long enough."""
        self._pulse()
        with self._lock:
            self._views.drop_idle(now)
            views = list(self._views)
        for view in views:
            for fd in self._sockets.due_to_leave(view):
                self._sockets.send_away(fd, farewell(rotation_retry_ms()), "rotated")
            if now - view.sent_s >= HEARTBEAT_S:
                view.sent_s = now
                self._sockets.write(view.heartbeat())

    def _send_away(self, drain: Drain, now: float) -> None:
        browsers = len(self._sockets)
        torn = [fd for fd in drain.batch(now) if not self._sockets.send_away(fd, farewell(retry_ms(browsers)), "drained")]
        if drain.late(now):
            for fd in self._sockets.descriptors():
                self._sockets.end(fd, "drain_cut")
        else:
            drain.again(torn)

    def _wait_s(self) -> float:
        with self._lock:
            due_s = self._views.next_due_s()
        if due_s > self._round_s:
            due_s = max(due_s, self._round_s + self._step_s)
        next_s = min(self._next_pulse_s, due_s)
        if self._sockets.late:
            next_s = min(next_s, self._next_stall_check_s)
        if self._drain and len(self._sockets):
            next_s = min(next_s, self._drain.next_s)
        return max(0.0, next_s - self._monotonic())
