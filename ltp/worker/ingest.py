"""From the feed's thread to the cache: ticks are conflated as they come, and the newest of each is sent on.

The step between `feed` and `store`. While Redis keeps up, the feed's own thread sends the ticks that it has
just read, because waking another thread costs a good part of a tick's time; but it never waits. All that may
take time is left to the flush thread. While the server is away ticks keep conflating; when it is back,
everything is written anew under a new epoch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp.core.money import Price
from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.off_sessions import OffSessions
from ltp.core.ticks.tick import Tick, TickFields
from ltp.feed.status import FeedStatus
from ltp.store.batch_publisher import BatchPublisher
from ltp.worker.batch_writer import BatchWriter
from ltp.worker.beats import Beats
from ltp.worker.doubts import Doubts
from ltp.worker.market_clock import MarketClock
from ltp.worker.status_report import StatusReport
from ltp.worker.tap import GuardedTap, Tap
from ltp.worker.wanted import Wanted
from ltp.worker.write_pace import write_interval_s

# In write intervals: how long the feed's thread leaves ticks unread, in the kernel's buffer. A little longer
# than an interval, so that each reading is followed by a write, with its ticks still in the processor's
# caches. Were it shorter, each second reading would come too early for a write.
_UNREAD_INTERVALS: Final = 1.1
STOP_S: Final = 1.0
_READ_AT_ONCE: Final = 500


class Ingest(threading.Thread):
    """The flush thread. `on_ticks` is called from the feed's thread, the other methods from any. Only these
    two threads write prices.

    Args:
        may_write: the fencing number of the lease while this worker surely holds it, else 0: then nothing is
            written.
        status: the feed's own status; read once a second and after `request_beat`.
        tick_size: the price grid of a key, 0 when unknown.
        event_interval_s: the least time between two events of a page; 0: every batch is an event.
        doubts, off_sessions: decide which prices may not be shown as live, and which not at all.
        tap: receives every tick of the feed, see `worker.tap`; several listeners are composed outside.
    """

    def __init__(
        self,
        publisher: BatchPublisher,
        *,
        market: MarketClock,
        report: StatusReport,
        may_write: Callable[[], int],
        status: Callable[[], FeedStatus],
        tick_size: Callable[[str], Price],
        event_interval_s: float,
        doubts: Doubts | None = None,
        off_sessions: OffSessions | None = None,
        tap: Tap | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="flush", daemon=True)
        self._clock, self._monotonic = clock, monotonic
        self._stopping = threading.Event()
        self._tap = None if tap is None else GuardedTap(tap)
        self._work = threading.Condition()  # guards the next three
        self._conflator = Conflator(off_sessions)
        self._wanted = Wanted(doubts or Doubts())
        self._beats = Beats(
            self._conflator,
            self._wanted,
            market=market,
            report=report,
            feed_status=status,
            tick_size=tick_size,
            clock=clock,
        )
        interval_s = write_interval_s(event_interval_s)
        self._leave_unread_s = interval_s * _UNREAD_INTERVALS
        self._writer = BatchWriter(
            publisher,
            self._conflator,
            self._wanted,
            self._beats,
            self._work,
            may_write=may_write,
            interval_s=interval_s,
            wrote=report.wrote,
            monotonic=monotonic,
        )

    def on_ticks(self, ticks: Sequence[TickFields]) -> float:
        """Take ticks of the feed, in their order, and send them on where that takes no waiting.

        Returns:
            For how many seconds the feed's thread may leave further ticks unread: they could not be sent on
            before anyway.
        """
        if self._tap is not None:
            self._tap(ticks)
        with self._work:
            self._beats.received += len(ticks)
            self._conflator.apply(ticks)
        if not self._writer.sent_at_once():
            with self._work:
                self._work.notify()
        return self._leave_unread_s

    def on_rest(self, keys: Iterable[str], ticks: list[Tick]) -> None:
        """Take the answer of REST for `keys`; `ticks` have `rest` set."""
        with self._work:
            keys = frozenset(keys)
            self._wanted.note_known(keys)
            self._conflator.admit(keys)
            self._conflator.apply(ticks)
            self._work.notify()

    def follow(self, keys: Sequence[str], known: Iterable[Tick]) -> None:
        """Replace the wanted keys, before the feed subscribes them.

        Args:
            known: the cache's ticks of keys that are new here; a packet without a price must not blank them.
        """
        with self._work:
            # The first packets come at once, and some of them only once.
            self._beats.configure()
            self._wanted.follow(keys)
            self._conflator.admit(keys)
            self._conflator.restore(known)

    def forget(self, reassigned: Mapping[str, int]) -> None:
        """Forget keys that were given to other instruments; by key, since when (microseconds). The cache must
        have forgotten them before.
        """
        with self._work:
            self._wanted.reassign(reassigned, self._monotonic())
            self._conflator.forget(reassigned)
            self.request_beat()

    def has_tick(self, key: str) -> bool:
        with self._work:
            return self._conflator.get(key) is not None

    def received_at(self, keys: Sequence[str]) -> dict[str, int]:
        """Return by key when its newest tick came, in microseconds since the epoch; without keys that had none."""
        found: dict[str, int] = {}
        for start in range(0, len(keys), _READ_AT_ONCE):  # the feed's thread waits for the lock meanwhile
            with self._work:
                found |= self._conflator.received_at(keys[start : start + _READ_AT_ONCE])
        return found

    def request_beat(self) -> None:
        """Publish the state of feed and market at once: it changed."""
        with self._work:
            self._beats.requested = True
            self._work.notify()

    def clock_was_set(self, step_s: float) -> None:
        """Begin a new epoch, in which nothing lies in the future of a clock that was set back."""

        def set_back() -> None:
            if step_s < 0:
                self._conflator.set_back(int(self._clock() * 1e6), int(-step_s * 1e6))

        self._writer.clock_was_set(set_back)

    def stop(self) -> None:
        """Write all that is left and the feed's last state, and end the thread, within a second."""
        with self._work:
            self._stopping.set()
            self._work.notify()
        if self.is_alive():
            self.join(STOP_S)

    def run(self) -> None:
        while not self._stopping.is_set():
            self._wait_for_work()
            # The write interval is not waited for on the condition: every batch of ticks would end that wait.
            self._writer.wait(self._stopping)
            self._writer.write()
        self._beats.requested = True
        self._writer.write()

    def _wait_for_work(self) -> None:
        with self._work:
            while not (
                self._stopping.is_set()
                or self._beats.requested
                or self._conflator.changed()
                or self._writer.unsent
            ):
                left_s = self._beats.due_in_s(self._monotonic())
                if left_s <= 0 or not self._writer.fence:
                    return
                self._work.wait(left_s)
