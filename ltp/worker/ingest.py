"""From the feed's thread to the cache: ticks are conflated as they come, and the newest of each is sent on.

The step between `feed` and `store`. While Redis keeps up, the feed's own thread sends what it has just read,
because waking another costs a good part of what a tick does; but it never waits. Whatever may take time (a
late answer, the beat of each second, an epoch's beginning) is the flush thread's. While the server is away
ticks keep conflating, and when it is back everything is written anew under a new epoch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp import metrics
from ltp.core.money import Price
from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.off_sessions import OffSessions
from ltp.core.ticks.tick import Tick, TickFields
from ltp.errors import StoreError
from ltp.feed.status import FeedStatus
from ltp.store.batch_publisher import BatchHeader, BatchPublisher, Beat
from ltp.store.keys import HEARTBEAT_EVERY_S, LTP_RENEW_S
from ltp.worker.doubts import Doubts
from ltp.worker.market_clock import MarketClock
from ltp.worker.retry import Retry
from ltp.worker.status_report import StatusReport
from ltp.worker.wanted import Wanted
from ltp.worker.write_floor import least_s

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
# The reader's, in floors: a little longer, then what is read is written at once, the ticks still in the
# caches. Were it shorter, each second reading would come too early for a write.
_REST: Final = 1.1
STOP_S: Final = 1.0


class Ingest(threading.Thread):
    """`on_ticks` may be called from the feed's thread, the rest from any. Those two talk to Redis, one at a
    time.

    Args:
        may_write: the fencing number of the lease while it is surely ours, else 0: then nothing is written.
        status: what the feed says of itself, read once a second and on `changed`.
        tick_size: the price grid of a key, 0 when unknown.
        min_interval_s: between two events of a page; 0: every batch is an event.
        doubts, off_sessions: work out which prices may not be shown as live, and which not at all.
    """

    def __init__(
        self,
        outlet: BatchPublisher,
        *,
        market: MarketClock,
        report: StatusReport,
        may_write: Callable[[], int],
        status: Callable[[], FeedStatus],
        tick_size: Callable[[str], Price],
        min_interval_s: float,
        doubts: Doubts | None = None,
        off_sessions: OffSessions | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="flush", daemon=True)
        self._outlet, self._market, self._report = outlet, market, report
        self._may_write, self._feed_status, self._tick_size = may_write, status, tick_size
        self._clock, self._monotonic = clock, monotonic
        self._floor_s = least_s(min_interval_s)
        self._conflator = Conflator(off_sessions)
        self._work = threading.Condition()  # guards the conflator and what follows up to the blank line
        self._received = 0
        self._wanted = Wanted(doubts or Doubts())
        self._beat_asked = False
        self._stopping = threading.Event()

        self._turning = threading.Lock()  # held by who writes; guards the outlet and what follows
        self._fence = 0  # of the epoch being written; 0: the next write begins one
        self._purges = False  # that epoch removes the 30-second keys of before: they would outlive their time
        self._status = FeedStatus()
        self._phase: dict[str, str] = {}
        self._next_beat = self._next_heartbeat = self._next_renewal = float("-inf")
        self._retry = Retry()
        self._began = float("-inf")  # the last write
        # The last one of the reader's. Its floor counts from there: a beat of the other thread's would put it
        # out of step.
        self._sent_at = float("-inf")

    def on_ticks(self, ticks: Sequence[TickFields]) -> float:
        """Take what the feed said, and send it on where that takes no waiting; return for how many seconds
        more of it would not be sent on anyway.
        """
        with self._work:
            self._received += len(ticks)
            self._conflator.apply(ticks)
        if not self._sent_at_once():
            with self._work:
                self._work.notify()
        return self._floor_s * _REST

    def on_rest(self, keys: Iterable[str], ticks: list[Tick]) -> None:
        """Take what REST answered for `keys`; `ticks` have `rest` set."""
        with self._work:
            keys = frozenset(keys)
            self._wanted.beside(keys)
            self._conflator.admit(keys)
            self._conflator.apply(ticks)
            self._work.notify()

    def follow(self, keys: Sequence[str], known: Iterable[Tick]) -> None:
        """Replace what is wanted, before the feed subscribes it. `known`: what the cache holds of keys that
        are new here, which a packet without a price must not blank.
        """
        with self._work:
            self._configure()  # the first packets come at once, and some of them only once
            self._wanted.follow(keys)
            self._conflator.admit(keys)
            self._conflator.restore(known)

    def forget(self, reassigned: Mapping[str, int]) -> None:
        """Forget keys that mean other instruments since an instant (microseconds); the cache must have done
        so before.
        """
        with self._work:
            self._wanted.reassign(reassigned, self._monotonic())
            self._conflator.forget(reassigned)
            self._beat_asked = True
            self._work.notify()

    def holds(self, key: str) -> bool:
        """Tell whether anything is known of `key` here."""
        with self._work:
            return self._conflator.get(key) is not None

    def changed(self) -> None:
        """Say at once how the feed and the market are: something about them changed."""
        with self._work:
            self._beat_asked = True
            self._work.notify()

    def clock_was_set(self, step_s: float) -> None:
        """Begin a new epoch, in which nothing lies in the future of a clock that was set back."""
        with self._turning, self._work:
            if step_s < 0:
                self._conflator.set_back(int(self._clock() * 1e6), int(-step_s * 1e6))
            self._fence, self._purges = 0, True
            self._work.notify()

    def stop(self) -> None:
        """Write what is left, say that the feed is gone, and end the thread, within a second."""
        with self._work:
            self._stopping.set()
            self._work.notify()
        if self.is_alive():
            self.join(STOP_S)

    def run(self) -> None:
        while not self._stopping.is_set():
            self._wait()
            self._guarded_turn()
        self._status = self._feed_status()
        self._beat_asked = True
        self._guarded_turn()

    def _sent_at_once(self) -> bool:
        """Send what changed on the caller's thread. False when that is for the flush thread to do, or to
        complete.
        """
        if not self._turning.acquire(blocking=False):
            return False
        try:
            return self._guarded(self._send_ahead)
        finally:
            self._turning.release()

    def _send_ahead(self) -> bool:
        now = self._monotonic()
        if (
            not self._fence
            or self._may_write() != self._fence
            or now - self._sent_at < self._floor_s
            or not self._outlet.ready()
        ):
            return False
        with self._work:
            if self._beat_asked or self._wanted.dropping:
                return False
            ticks, coverage = self._conflator.take(), self._wanted.coverage(self._status)
        self._began = self._sent_at = now
        self._outlet.send_ahead(self._moment(), ticks, coverage)
        return not self._outlet.unsent

    def _guarded_turn(self) -> None:
        with self._turning:
            self._guarded(self._turn)

    def _guarded(self, send: Callable[[], bool]) -> bool:
        try:
            return send()
        except StoreError as error:
            if self._fence:
                log.warning("%s. Ticks go on being collected.", error)
            self._again_later()
        except Exception:
            # These threads are the only way out for prices: they outlive a fault of ours, which must not fill
            # the log either.
            metrics.count("ingest_faults")
            log.exception("A batch could not be sent")
            self._again_later()
            if self._retry.lost(self._monotonic()):
                raise  # it ends the thread and so the process, which gives the lease to a standby
        return False

    def _again_later(self) -> None:
        self._fence = 0
        self._retry.failed()

    def _wait(self) -> None:
        """Return when there is something to send, at once when idle; not before the floor or the back-off has
        passed.

        The floor counts from the beginning of the last write: were its own time added, the reader would be
        back first.
        """
        self._wait_for_work()
        # Not the condition: every tick would wake this thread in vain. Nor, for so short a time, anything
        # that can be woken.
        if self._retry.wait_s:
            self._stopping.wait(self._retry.wait_s)
        else:
            time.sleep(max(0.0, self._began + self._floor_s - self._monotonic()))

    def _wait_for_work(self) -> None:
        with self._work:
            while not (
                self._stopping.is_set()
                or self._beat_asked
                or self._conflator.changed()
                or self._outlet.unsent
            ):
                left_s = self._next_beat - self._monotonic()
                if left_s <= 0 or not self._fence:
                    return
                self._work.wait(left_s)

    def _turn(self) -> bool:
        """Send what there is, and wait until it has arrived. False when nothing may be written."""
        fence = self._may_write()
        if not fence:
            self._fence = 0
            self._retry.stand_by()
            return False
        now = self._began = self._monotonic()
        beginning = fence != self._fence
        beating = beginning or self._beat_asked or now >= self._next_beat
        if beating:
            self._look_around(now)
        with self._work:
            ticks = self._conflator.take(everything=beginning)
            dropped = self._wanted.take_dropped(now)
            beat = self._beat(now, beginning) if beating else None
            coverage = self._wanted.coverage(self._status)
        if beginning and beat is not None:
            self._outlet.begin(self._moment(), ticks, beat, purges=self._purges)
            self._purges = False
            log.info(
                "Writing prices under a new epoch: %d instruments known, %d covered",
                len(ticks),
                len(beat.covered),
            )
            self._fence = fence
        elif not (ticks or dropped or beat):
            self._outlet.settle()  # the reader was first
        elif not self._outlet.send(self._moment(), ticks, coverage, dropped=dropped, beat=beat):
            log.warning("Redis was emptied, or its clock was set back. Everything is written anew.")
            self._fence, self._purges = 0, True
        self._report.wrote(self._monotonic() - now)
        self._retry.succeeded()
        return True

    def _moment(self) -> BatchHeader:
        status, now_us = self._status, int(self._clock() * 1e6)
        return BatchHeader(now_us, status.feed, status.since_us, self._phase, *self._wanted.said)

    def _look_around(self, now: float) -> None:
        """Learn once a second what packets do not say."""
        before, phase = self._status, self._market.phases()
        self._status = self._feed_status().timed_where_open(phase)
        if (before.feed, before.since_us, self._phase) != (self._status.feed, self._status.since_us, phase):
            self._next_heartbeat = self._next_renewal = now
        self._phase = phase
        with self._work:
            self._beat_asked = False
            if self._wanted.judge(self._status):
                self._next_renewal = now
            self._configure()
            self._conflator.connected(self._status.since_us)

    def _configure(self) -> None:
        market, delay_s = self._market, self._status.delay_s
        self._conflator.configure(
            tick_size=self._tick_size,
            prev_close_from=market.prev_close_from(),
            sessions=market.sessions(),
            delay_s=delay_s,
        )

    def _beat(self, now: float, beginning: bool) -> Beat:
        self._next_beat = now + BEAT_S
        heartbeat_at = ""
        if beginning:
            self._report.begin(self._clock())
        if beginning or now >= self._next_heartbeat:
            self._next_heartbeat = now + HEARTBEAT_EVERY_S
            heartbeat_at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        covered: Sequence[Tick] = ()
        if beginning or now >= self._next_renewal:
            self._next_renewal = now + LTP_RENEW_S
            covered = list(filter(self._wanted.coverage(self._status).covers, self._conflator.all()))
        odd = self._wanted.of(self._conflator.mistimed()), dict(self._conflator.counters)
        status = self._report.status(
            self._status, self._phase, self._received, len(self._wanted.keys), now, *odd
        )
        return Beat(status, heartbeat_at, covered)
