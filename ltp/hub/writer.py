"""The one loop that sends: events of the views that are due, heartbeats, rotation and farewells."""

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
_TEND_EVERY_S: Final = 1.0
_FAILED_S: Final = 0.1
_STALL_CHECK_S: Final = 0.25
_LIFE_S: Final = (15 * 60, 20 * 60)  # of a stream, after which it rotates
_DRAIN_STEP_S: Final = 0.05
_DRAIN_PER_S: Final = 500
_OVERTIME_S: Final = 1.0  # for browsers that have received part of an event
_GATHER_BROWSERS: Final = 3_200  # events for so many browsers are made before the first is sent

log = logging.getLogger(__name__)


class Drain:
    """Which browsers are sent away when: all of them over `within_s`, in random order."""

    def __init__(self, fds: list[int], within_s: float, now_s: float) -> None:
        random.shuffle(fds)
        self._left, self._began_s, self._within_s, self._total = fds, now_s, within_s, len(fds)
        self.next_s = now_s

    def batch(self, now_s: float) -> list[int]:
        """Return the browsers to send away now. The caller puts back those with a torn event."""
        self.next_s = now_s + _DRAIN_STEP_S
        passed = min(1.0, (now_s - self._began_s + _DRAIN_STEP_S) / self._within_s)
        keep = int(self._total * (1 - passed))
        batch, self._left = self._left[keep:], self._left[:keep]
        return batch

    def put_back(self, fds: list[int]) -> None:
        self._left = fds + self._left

    def overdue(self, now_s: float) -> bool:
        """Return whether browsers with a torn event have had their time too."""
        return now_s - self._began_s > self._within_s + _OVERTIME_S


def drain_s(browsers: int, at_most_s: float) -> float:
    """Return over how many seconds so many browsers are sent away: at once if there are few."""
    return max(_DRAIN_STEP_S, min(at_most_s, browsers / _DRAIN_PER_S))


def stream_life_s() -> float:
    """Return the seconds until a stream rotates; random, so that browsers do not reconnect together."""
    return random.uniform(*_LIFE_S)


def retry_ms(browsers: int) -> int:
    """Return after how many ms one of so many browsers may reconnect: spread so that about a thousand a
    second do.
    """
    return 1_000 + int(random.random() * max(1_000, browsers))


def rotation_retry_ms() -> int:
    return random.randint(500, 1_500)


class StreamWriter(threading.Thread):
    def __init__(
        self,
        views: Views,
        sockets: Sockets,
        pacer: Pacer,
        lock: threading.RLock,
        each_second: Callable[[], None],
        *,
        wake: threading.Event,
        monotonic: Callable[[], float],
    ) -> None:
        """
        Args:
            each_second: called once a second, to work out the states of prices again.
            wake: set by others when there is something to do before the writer's own next instant.
        """
        super().__init__(name="writer", daemon=True)
        self._views, self._sockets, self._lock, self._each_second = views, sockets, lock, each_second
        self._wake, self._pacer, self._monotonic = wake, pacer, monotonic
        self._next_tend_s = self._next_stall_check_s = 0.0
        self._drain: Drain | None = None
        self._stopped = False
        self._failure_limit = FailureLimit(GIVE_UP_S)

    @property
    def draining(self) -> bool:
        return self._drain is not None

    @property
    def woken(self) -> bool:
        """Another round follows at once."""
        return self._wake.is_set()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def drain(self, within_s: float) -> None:
        """Begin to send every browser away, spread over `within_s`. Those that wait still receive prices."""
        if self._drain is None:
            self._drain = Drain(self._sockets.descriptors(), within_s, self._monotonic())
            with self._lock:
                for view in self._views:
                    view.flushed.notify_all()
            self._wake.set()

    def run(self) -> None:
        self._sockets.sender()  # io_uring requires that it is made by the thread that sends
        while not self._stopped:
            try:
                wait_s = self.round()
                self._failure_limit.succeeded()
            except Exception:  # without this loop no browser receives anything again
                metrics.count("writer_failed")
                log.exception("A round of events failed")
                if self._failure_limit.failed(self._monotonic()):
                    raise  # ends the thread and so the process; another process serves its browsers
                time.sleep(_FAILED_S)  # cannot be cut short: a fault that stays must not fill the log
                wait_s = 0.0
            if wait_s > 0:
                self._wake.wait(wait_s)
            else:
                time.sleep(0)  # Event.wait(0) would not switch to any other greenlet, such as the relay's

    def round(self) -> float:
        """Do everything that is due; return the seconds until the next thing is."""
        self._wake.clear()  # before looking for work: anything that arrives from here on starts another round
        self._sockets.act_on_reports()
        self._send_due()
        now = self._monotonic()
        if now >= self._next_tend_s:
            self._next_tend_s = now + _TEND_EVERY_S
            self._tend(now)
        if now >= self._next_stall_check_s:
            self._next_stall_check_s = now + _STALL_CHECK_S
            self._sockets.cut_stalled()
        if self._drain and now >= self._drain.next_s:
            self._send_farewells(self._drain, now)
        self._sockets.close_ended()
        return self._wait_s()

    def _send_due(self) -> None:
        """Make the events of some views, send them, and continue with the next views.

        Not one by one: the code that makes an event and the kernel code that sends it evict each other from
        the processor's caches, which doubles the cost of an event. Not all at once either: the first event
        would wait for the last, the longer the more cells there are to draw.
        """
        with self._lock:
            began = self._monotonic()
            due = self._views.due(began + self._pacer.early_s)
        start = 0
        while start < len(due):
            deliveries: list[Delivery] = []
            browsers, now = 0, self._monotonic()
            enough_s = now + self._pacer.gather_s
            try:
                with self._lock:
                    while (
                        start < len(due)
                        and browsers < _GATHER_BROWSERS
                        and (not browsers or self._monotonic() < enough_s)
                    ):
                        view = due[start]
                        start += 1
                        delivery = self._deliver(view, now)
                        if delivery.event:
                            deliveries.append(delivery)
                            browsers += len(delivery.fds)
            finally:  # events that were made must be sent: their views have moved on
                self._sockets.write(deliveries)
        self._pacer.note_round(began, self._monotonic())

    def _deliver(self, view: View, now: float) -> Delivery:
        try:
            delivery = view.deliver()
        except Exception:
            self._views.sleep(view)  # the next change wakes it
            raise
        if delivery.event:
            view.sent_s = now
            self._views.wait_until(view, self._pacer.next_due_s(view.due_s, view.phase, now))
        else:
            self._views.sleep(view)
        return delivery

    def _tend(self, now: float) -> None:
        """Once a second: states of prices, idle views, rotation, heartbeats of quiet views."""
        self._each_second()
        with self._lock:
            self._views.drop_idle(now)
            views = list(self._views)
        for view in views:
            for fd in view.due_for_rotation(now):
                self._sockets.send_farewell(fd, farewell(rotation_retry_ms()), "rotated")
            if now - view.sent_s >= HEARTBEAT_S:
                view.sent_s = now
                self._sockets.write([view.heartbeat()])

    def _send_farewells(self, drain: Drain, now: float) -> None:
        browsers = len(self._sockets)
        torn = [
            fd
            for fd in drain.batch(now)
            if not self._sockets.send_farewell(fd, farewell(retry_ms(browsers)), "drained")
        ]
        if drain.overdue(now):
            for fd in self._sockets.descriptors():
                self._sockets.end(fd, "drain_cut")
        else:
            drain.put_back(torn)

    def _wait_s(self) -> float:
        with self._lock:
            due_s = self._views.next_due_s()
        next_s = min(self._next_tend_s, due_s)
        if self._sockets.slow_browsers:
            next_s = min(next_s, self._next_stall_check_s)
        if self._drain and len(self._sockets):
            next_s = min(next_s, self._drain.next_s)
        return max(0.0, next_s - self._monotonic())
