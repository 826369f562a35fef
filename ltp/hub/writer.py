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
from ltp.core.failure_limit import FailureLimit
from ltp.hub.pacer import Pacer
from ltp.hub.sockets import Sockets
from ltp.hub.view import Delivery, View, farewell
from ltp.hub.views import Views

HEARTBEAT_S: Final = 5.0
GIVE_UP_S: Final = 30.0  # of nothing but failed rounds
_PULSE_S: Final = 1.0
_FAILED_S: Final = 0.1
_STALL_CHECK_S: Final = 0.25
_DRAIN_STEP_S: Final = 0.05
_TOGETHER: Final = 3_200  # browsers whose events are made before they are sent

log = logging.getLogger(__name__)


class Drain:
    """How the browsers are sent away: `total` of them over `within_s`, each told to come back at its own
    time.
    """

    def __init__(self, fds: list[int], within_s: float, now_s: float) -> None:
        random.shuffle(fds)
        self._left, self._began_s, self._within_s, self._total = fds, now_s, within_s, len(fds)
        self.next_s = now_s

    def batch(self, now_s: float) -> list[int]:
        """Return the browsers whose turn has come. Those who could not be told yet are handed back by
        `again`.
        """
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


class StreamWriter(threading.Thread):
    def __init__(
        self,
        views: Views,
        sockets: Sockets,
        lock: threading.RLock,
        pulse: Callable[[], None],
        *,
        wake: threading.Event,
        turns: Pacer,
        monotonic: Callable[[], float],
    ) -> None:
        """`pulse`: called once a second, to work the states of prices out again. `wake`: set when there is
        something to do.
        """
        super().__init__(name="writer", daemon=True)
        self._views, self._sockets, self._lock, self._pulse = views, sockets, lock, pulse
        self._wake, self._turns, self._monotonic = wake, turns, monotonic
        self._next_pulse_s = self._next_stall_check_s = 0.0
        self._drain: Drain | None = None
        self._stopped = False
        self._patience = FailureLimit(GIVE_UP_S)

    @property
    def draining(self) -> bool:
        return self._drain is not None

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def drain(self, within_s: float) -> None:
        """Begin to send every browser away, spread over `within_s`. Prices go on for those who wait their
        turn.
        """
        if self._drain is None:
            self._drain = Drain(self._sockets.descriptors(), within_s, self._monotonic())
            with self._lock:
                for view in self._views:
                    view.flushed.notify_all()
            self._wake.set()

    def run(self) -> None:
        self._sockets.prepare()
        while not self._stopped:
            try:
                wait_s = self.round()
                self._patience.succeeded()
            except Exception:  # without this loop no browser hears anything again
                metrics.count("writer_failed")
                log.exception("A round of events failed")
                if self._patience.failed(self._monotonic()):
                    raise  # it ends the thread and so the process; another serves its browsers
                time.sleep(_FAILED_S)  # whatever wakes it meanwhile: a fault that stays must not fill the log
                wait_s = 0.0
            if wait_s > 0:
                self._wake.wait(wait_s)
            else:
                time.sleep(0)  # a wait of zero would let nobody else run, the relay neither

    def round(self) -> float:
        """Do everything that is due; return the seconds until something will be."""
        self._wake.clear()  # before looking: what comes from here on starts another round
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
        """Make the events of some views, send them, and so on.

        Not one by one: what makes an event and what the kernel does to send it throw each other out of the
        caches, which doubles what an event costs. Not all at once either: the first would wait for the last,
        the longer the more instruments there are to draw.
        """
        with self._lock:
            began = self._monotonic()
            due = self._views.due(began + self._turns.early_s)
        start = 0
        while start < len(due):
            deliveries: list[Delivery] = []
            browsers, now = 0, self._monotonic()
            enough_s = now + self._turns.together_s
            try:
                with self._lock:
                    while (
                        start < len(due)
                        and browsers < _TOGETHER
                        and (not browsers or self._monotonic() < enough_s)
                    ):
                        view = due[start]
                        start += 1
                        delivery = self._deliver(view, now)
                        if delivery.event:
                            deliveries.append(delivery)
                            browsers += len(delivery.fds)
            finally:  # what is made is owed: its views have moved on
                self._sockets.write(deliveries)
        self._turns.spent(began, self._monotonic())

    def _deliver(self, view: View, now: float) -> Delivery:
        try:
            delivery = view.deliver()
        except Exception:
            self._views.sleep(view)  # the next change wakes it
            raise
        if delivery.event:
            view.sent_s = now
            self._views.rest(view, self._turns.next_s(view.due_s, view.phase, now))
        else:
            self._views.sleep(view)
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
                self._sockets.write([view.heartbeat()])

    def _send_away(self, drain: Drain, now: float) -> None:
        browsers = len(self._sockets)
        torn = [
            fd
            for fd in drain.batch(now)
            if not self._sockets.send_away(fd, farewell(retry_ms(browsers)), "drained")
        ]
        if drain.late(now):
            for fd in self._sockets.descriptors():
                self._sockets.end(fd, "drain_cut")
        else:
            drain.again(torn)

    def _wait_s(self) -> float:
        with self._lock:
            due_s = self._views.next_due_s()
        next_s = min(self._next_pulse_s, due_s)
        if self._sockets.late:
            next_s = min(next_s, self._next_stall_check_s)
        if self._drain and len(self._sockets):
            next_s = min(next_s, self._drain.next_s)
        return max(0.0, next_s - self._monotonic())
