"""The writes to Redis: changes, beats, and everything anew after a failure, by either of two threads.

The feed's thread sends the changes ahead, without waiting, while the server keeps up. The flush thread writes
whatever may take time: a late answer, a beat, the beginning of an epoch. One of them writes at a time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from ltp import metrics
from ltp.core.ticks.conflate import Conflator
from ltp.core.ticks.tick import TickFields
from ltp.errors import StoreError
from ltp.store.batch_publisher import BatchPublisher, Beat
from ltp.store.encode import Coverage
from ltp.worker.beats import Beats
from ltp.worker.wanted import Wanted
from ltp.worker.write_pace import Retry

log = logging.getLogger(__name__)


class BatchWriter:
    """Thread-safe.

    `fence`: the fencing number of the epoch being written; 0: the next write begins an epoch.

    Args:
        work: the lock that guards the conflator, `wanted` and `beats`.
        may_write: the fencing number of the lease while this worker surely holds it, else 0: then nothing is
            written.
        interval_s: the least time between two writes.
        wrote: takes the duration of each write that was waited for, in seconds.
    """

    def __init__(
        self,
        publisher: BatchPublisher,
        conflator: Conflator,
        wanted: Wanted,
        beats: Beats,
        work: threading.Condition,
        *,
        may_write: Callable[[], int],
        interval_s: float,
        wrote: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._publisher, self._conflator, self._wanted, self._beats = publisher, conflator, wanted, beats
        self._work, self._may_write, self._wrote = work, may_write, wrote
        self._interval_s, self._monotonic = interval_s, monotonic
        self._writing = threading.Lock()  # guards the publisher and what follows; taken before `work`
        self.fence = 0
        self._purges = False  # the next epoch first removes the 30-second keys: they would outlive their time
        self._retry = Retry()
        self._began = float("-inf")  # the last write of either thread
        # The last one of the feed's thread. Its interval counts from there: a beat of the flush thread would
        # put it out of step.
        self._sent_ahead_at = float("-inf")

    @property
    def unsent(self) -> bool:
        """Part of the batch sent ahead is still here: the kernel took no more."""
        return self._publisher.unsent

    def sent_at_once(self) -> bool:
        """Send the changes ahead. False where the flush thread has to send or complete them."""
        if not self._writing.acquire(blocking=False):
            return False
        try:
            return self._guarded(self._send_ahead)
        finally:
            self._writing.release()

    def write(self) -> None:
        """Write everything that is due, and wait until it has arrived."""
        with self._writing:
            self._guarded(self._write)

    def wait(self, stopping: threading.Event) -> None:
        """Wait until the write interval has passed, or the back-off after a failure.

        The interval counts from the beginning of the last write: were the write's own time added, the feed's
        thread would be back first.
        """
        # Only a back-off is long enough to need an early end.
        if self._retry.wait_s:
            stopping.wait(self._retry.wait_s)
        else:
            time.sleep(max(0.0, self._began + self._interval_s - self._monotonic()))

    def clock_was_set(self, set_back: Callable[[], None]) -> None:
        """Begin a new epoch, after `set_back` has moved the known ticks to the new clock."""
        with self._writing, self._work:
            set_back()
            self.fence, self._purges = 0, True
            self._work.notify()

    def _send_ahead(self) -> bool:
        now = self._monotonic()
        if (
            not self.fence
            or self._may_write() != self.fence
            or now - self._sent_ahead_at < self._interval_s
            or not self._publisher.ready()
        ):
            return False
        with self._work:
            if self._beats.requested or self._wanted.has_dropped:
                return False
            ticks, coverage = self._conflator.take(), self._beats.coverage()
        self._began = self._sent_ahead_at = now
        self._publisher.send_ahead(self._beats.header(), ticks, coverage)
        return not self._publisher.unsent

    def _write(self) -> bool:
        """False when nothing may be written."""
        fence = self._may_write()
        if not fence:
            self.fence = 0
            self._retry.stand_by()
            return False
        now = self._began = self._monotonic()
        begins_epoch = fence != self.fence
        ticks, dropped, coverage, beat = self._take_due(now, begins_epoch)
        if begins_epoch and beat is not None:
            self._begin_epoch(fence, ticks, beat)
        elif not (ticks or dropped or beat):
            self._publisher.settle()  # the feed's thread has sent everything already
        elif not self._publisher.send(self._beats.header(), ticks, coverage, dropped=dropped, beat=beat):
            log.warning("Redis was emptied, or its clock was set back. Everything is written anew.")
            self.fence, self._purges = 0, True
        self._wrote(self._monotonic() - now)
        self._retry.succeeded()
        return True

    def _take_due(
        self, now: float, begins_epoch: bool
    ) -> tuple[list[TickFields], tuple[str, ...], Coverage, Beat | None]:
        """Return the ticks to write, the instruments whose 30-second keys are removed, the coverage, and the
        beat if due.
        """
        beating = begins_epoch or self._beats.requested or self._beats.due_in_s(now) <= 0
        if beating:
            self._beats.look(now)
        with self._work:
            if beating:
                self._beats.judge(now)
            ticks, dropped = self._conflator.take(everything=begins_epoch), self._wanted.take_dropped(now)
            beat = self._beats.beat(now, begins_epoch=begins_epoch) if beating else None
            return ticks, dropped, self._beats.coverage(), beat

    def _begin_epoch(self, fence: int, ticks: Sequence[TickFields], beat: Beat) -> None:
        self._publisher.begin(self._beats.header(), ticks, beat, purges=self._purges)
        self._purges = False
        log.info(
            "Writing prices under a new epoch: %d instruments known, %d covered",
            len(ticks),
            len(beat.covered),
        )
        self.fence = fence

    def _guarded(self, write: Callable[[], bool]) -> bool:
        try:
            return write()
        except StoreError as error:
            if self.fence:
                log.warning("%s. Ticks go on being collected.", error)
            self._begin_anew_later()
        except Exception:
            # These threads are the only way out for prices, so they outlive a fault of this program; the
            # back-off keeps it from filling the log.
            metrics.count("ingest_faults")
            log.exception("A batch could not be sent")
            self._begin_anew_later()
            if self._retry.exhausted(self._monotonic()):
                raise  # it ends the thread and so the process, which gives the lease to a standby
        return False

    def _begin_anew_later(self) -> None:
        self.fence = 0
        self._retry.failed()
