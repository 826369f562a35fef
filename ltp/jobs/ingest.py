"""From the feed's thread to the cache: ticks are conflated as they come, and a flush thread sends the newest of each on.

The step between `feed` and `store`. It never waits for Redis on the feed's thread: while the server is away ticks keep
conflating, and when it is back everything is written anew under a new epoch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp import metrics
from ltp.core.conflate import Conflator
from ltp.core.money import Price
from ltp.core.tick import Tick
from ltp.errors import StoreError
from ltp.feed.status import FeedStatus
from ltp.jobs.market import Market
from ltp.jobs.report import Report
from ltp.store.encode import NOTHING, Coverage
from ltp.store.keys import HEARTBEAT_EVERY_S, LTP_RENEW_S
from ltp.store.outlet import Beat, Moment, Outlet

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
FLOOR_S: Final = 0.02  # least time from write to write: waking and a round trip have a fixed price, and meanwhile ticks conflate
# The reader's, a little longer: then a write waits for what is read and follows it at once, the ticks still in the caches.
# Were it shorter, the two would drift past each other, and a tick could wait for both.
REST_S: Final = FLOOR_S + 0.002
STANDBY_S: Final = 0.1
RETRY_MAX_S: Final = 1.0
STOP_S: Final = 1.0


class Ingest(threading.Thread):
    """`on_ticks` may be called from the feed's thread, the rest from any; only this thread talks to Redis.

    Args:
        may_write: the fencing number of the lease while it is surely ours, else 0: then nothing is written.
        status: what the feed says of itself, read once a second and on `changed`.
        tick_size: the price grid of a key, 0 when unknown.
    """

    def __init__(
        self,
        outlet: Outlet,
        *,
        market: Market,
        report: Report,
        may_write: Callable[[], int],
        status: Callable[[], FeedStatus],
        tick_size: Callable[[str], Price],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="flush", daemon=True)
        self._outlet, self._market, self._report = outlet, market, report
        self._may_write, self._feed_status, self._tick_size = may_write, status, tick_size
        self._clock, self._monotonic = clock, monotonic
        self._conflator = Conflator()
        self._work = threading.Condition()  # guards the conflator and what follows up to the blank line
        self._received = 0
        self._wanted: frozenset[str] = frozenset()
        self._unwanted: frozenset[str] = frozenset()  # admitted and not, or no longer, wanted: nobody vouches for these
        self._dropped: dict[str, None] = {}
        self._beat_asked = False
        self._stopping = threading.Event()

        self._fence = 0  # of the epoch being written; 0: the next write begins one
        self._status = FeedStatus()
        self._phase: dict[str, str] = {}
        self._next_beat = self._next_heartbeat = self._next_renewal = float("-inf")
        self._retry_s = 0.0
        self._began = float("-inf")  # the last write

    def on_ticks(self, ticks: list[Tick]) -> float:
        """Take what the feed said; return for how many seconds more of it would not be sent on anyway.

        One lock per chunk, and the flush thread is woken only by a change.
        """
        with self._work:
            self._received += len(ticks)
            self._apply(ticks)
        return REST_S

    def on_rest(self, keys: Iterable[str], ticks: list[Tick]) -> None:
        """Take what REST answered for `keys`; `ticks` have `rest` set."""
        with self._work:
            keys = frozenset(keys)
            self._unwanted |= keys - self._wanted
            self._conflator.admit(keys)
            self._apply(ticks)

    def _apply(self, ticks: list[Tick]) -> None:
        idle = not self._conflator.changed()
        self._conflator.apply(ticks)
        if idle and self._conflator.changed():
            self._work.notify()

    def follow(self, keys: Sequence[str], known: Iterable[Tick]) -> None:
        """Replace what is wanted; to be called before the feed subscribes it.

        `known` is what the cache holds of keys that are new here: a packet without a price must not blank it.
        """
        with self._work:
            wanted = frozenset(keys)
            self._dropped.update(dict.fromkeys(self._wanted - wanted))
            for key in wanted - self._wanted:
                self._dropped.pop(key, None)
            self._unwanted = (self._unwanted | self._wanted) - wanted
            self._wanted = wanted
            self._conflator.admit(keys)
            self._conflator.restore(known)

    def holds(self, key: str) -> bool:
        """Tell whether anything is known of `key` here."""
        with self._work:
            return self._conflator.get(key) is not None

    def changed(self) -> None:
        """Say at once how the feed and the market are: something about them changed."""
        with self._work:
            self._beat_asked = True
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

    def _guarded_turn(self) -> None:
        try:
            wrote = self._turn()
            self._retry_s = 0.0 if wrote else STANDBY_S
        except StoreError as error:
            if self._fence:
                log.warning("%s. Ticks go on being collected.", error)
            self._again_later()
        except Exception:
            # This thread is the only way out for prices: it outlives a fault of ours, which must not fill the log either.
            metrics.count("ingest_faults")
            log.exception("A batch could not be sent")
            self._again_later()

    def _again_later(self) -> None:
        self._fence = 0
        self._retry_s = min(max(self._retry_s * 2, 0.05), RETRY_MAX_S)

    def _wait(self) -> None:
        """Return when there is something to send, at once when idle; not before the floor or the back-off has passed.

        The floor counts from the beginning of the last write: were its own time added, the reader would be back first.
        """
        # Not the condition: every tick would wake this thread in vain. Nor, for so short a time, anything that can be woken.
        if self._retry_s:
            self._stopping.wait(self._retry_s)
        else:
            time.sleep(max(0.0, self._began + FLOOR_S - time.monotonic()))
        self._wait_for_work()
        self._began = time.monotonic()

    def _wait_for_work(self) -> None:
        with self._work:
            while not (self._stopping.is_set() or self._beat_asked or self._conflator.changed()):
                left_s = self._next_beat - self._monotonic()
                if left_s <= 0:
                    return
                self._work.wait(left_s)

    def _turn(self) -> bool:
        """Send what there is. False when nothing may be written."""
        fence = self._may_write()
        if not fence:
            self._fence = 0
            return False
        now, beginning = self._monotonic(), fence != self._fence
        beating = beginning or self._beat_asked or now >= self._next_beat
        if beating:
            self._look_around(now)
        with self._work:
            ticks = self._conflator.all() if beginning else self._conflator.take()
            if beginning:
                self._conflator.take()
            dropped, self._dropped = tuple(self._dropped), {}
            beat = self._beat(now, beginning) if beating else None
            coverage = self._coverage()
        moment = Moment(int(self._clock() * 1e6), self._status.feed, self._status.since_us, self._phase)
        began = self._monotonic()
        if beginning and beat is not None:
            self._outlet.begin(moment, ticks, beat)
            log.info("Writing prices under a new epoch: %d instruments known, %d covered", len(ticks), len(beat.covered))
            self._fence = fence
        elif not self._outlet.send(moment, ticks, coverage, dropped=dropped, beat=beat):
            log.warning("The heartbeat key is gone: somebody emptied Redis. Everything is written anew.")
            self._fence = 0
        self._report.wrote(self._monotonic() - began)
        return True

    def _look_around(self, now: float) -> None:
        """Learn once a second what packets do not say."""
        before, self._status = self._status, self._feed_status()
        phase = self._market.phases()
        if (before.feed, before.since_us, self._phase) != (self._status.feed, self._status.since_us, phase):
            self._next_heartbeat = self._next_renewal = now
        self._phase = phase
        with self._work:
            self._beat_asked = False
            self._conflator.configure(
                tick_size=self._tick_size, prev_close_from=self._market.prev_close_from(), sessions=self._market.sessions()
            )
            self._conflator.connected(self._status.since_us)

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
            covered = list(filter(self._coverage().covers, self._conflator.all()))
        status = self._report.status(self._status, self._phase, self._received, len(self._wanted), now)
        return Beat(status, heartbeat_at, covered)

    def _coverage(self) -> Coverage:
        """Return what the feed vouches for now: the 30-second keys of these prices may stand."""
        feed, since = self._status.feed, self._status.since_us
        return Coverage(since, self._unwanted) if feed == "live" and since > 0 else NOTHING
