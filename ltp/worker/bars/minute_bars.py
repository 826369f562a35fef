"""One-minute bars of the feed into SQL: built on the feed's thread, closed and stored on a thread of its own.

The step between `worker.tap` and `db.minute_bars`. The feed's thread never waits for SQL: closed bars wait in
memory, up to a bound, while the database is away.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from ltp import metrics
from ltp.core.bars.bar import Bar
from ltp.core.bars.builder import BarBuilder, ClosedBar
from ltp.core.bars.faults import fault
from ltp.core.bars.forming import MOST_BARS
from ltp.core.counted import counted
from ltp.core.money import Price
from ltp.core.ticks.tick import TickFields
from ltp.errors import DatabaseError
from ltp.worker.bars.coverage_log import CoverageLog

log = logging.getLogger(__name__)

FLUSH_S: Final = 5.0
LOOK_S: Final = 1.0
MAX_WAITING: Final = 120_000  # bars: 20 minutes of 5,000 instruments, some 30 MB
STOP_S: Final = 5.0
STANDBY_S: Final = 120.0
_CLOSED_AT_ONCE: Final = 100  # instruments under one hold of the lock, for which the feed's thread waits
_IN_ONE_WRITE: Final = 5_000
_RECEIVED_AT: Final = 3  # its place in TickFields


class MinuteBars(threading.Thread):
    """`on_ticks` is a tap, called on the feed's thread (see `worker.tap`).

    Its end does not end the worker: prices go on without bars.
    """

    def __init__(
        self,
        store: Callable[[Mapping[str, Sequence[Bar]]], None],
        *,
        since: Callable[[], int],
        is_open: Callable[[str, int], bool],
        tick_size: Callable[[str], Price],
        may_write: Callable[[], object],
        coverage: CoverageLog,
        silent: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Wire the thread.

        Args:
            store: writes bars by key; raises DatabaseError.
            since: returns the microsecond at which the feed's present connection was subscribed, 0 without
                one.
            is_open, tick_size: see `BarBuilder`.
            may_write: returns whether this worker leads; while it does not, nothing is stored.
            coverage: gets the state of the feed, and is stored with the bars.
            silent: returns whether no packet proves the present connection.
        """
        super().__init__(name="bars", daemon=True)
        self._store, self._since_now, self._may_write, self._clock = store, since, may_write, clock
        self._counters: Counter[str] = Counter()
        self._lock = threading.Lock()  # guards the builder
        self._builder = BarBuilder(self._counters, is_open=is_open, tick_size=tick_size)
        self._coverage, self._silent = coverage, silent
        self._since = 0
        self._waiting: deque[ClosedBar] = deque()
        self._reassigned: Mapping[str, int] = {}
        self._stored = self._lost = 0
        self._refusal, self._refuses = "", False
        self._stopping = threading.Event()

    @property
    def counts(self) -> dict[str, int]:
        """Bars since the start: stored, waiting for the database, lost; and the counters of `BarBuilder`."""
        own = {"stored": self._stored, "waiting": len(self._waiting), "lost": self._lost}
        return own | {name.removeprefix("bar_"): count for name, count in sorted(self._counters.items())}

    @property
    def coverage(self) -> CoverageLog:
        return self._coverage

    def on_ticks(self, ticks: Sequence[TickFields]) -> None:
        since = self._since_now()
        if ticks:
            self._coverage.received(ticks[-1][_RECEIVED_AT])
        with self._lock:
            if since != self._since:
                self._change_connection(since)
            if since:
                self._builder.take(ticks)

    def recent(self, keys: Iterable[str]) -> dict[str, list[Bar]]:
        """Return the newest bars by key, of which the last may be open; a key without any is missing.

        Empty while the database refuses the bars for good: it has those of another source.
        """
        if self._refuses:
            return {}
        with self._lock:
            found = {key: self._builder.recent(key)[-MOST_BARS:] for key in keys}
        return {key: bars for key, bars in found.items() if bars and not any(map(fault, bars))}

    def follow(self, keys: Iterable[str]) -> None:
        """Set the subscribed keys, before the feed subscribes them."""
        followed = frozenset(keys)
        with self._lock:
            self._builder.follow(followed)
        self._coverage.follow(followed)

    def forget(self, reassigned: Mapping[str, int]) -> None:
        """Forget keys that were given to other instruments; by key, since when (microseconds)."""
        with self._lock:
            self._reassigned = {**self._reassigned, **reassigned}
            for key in reassigned:
                self._builder.forget(key)
        self._coverage.forget(reassigned)

    def run(self) -> None:
        flush_at = 0.0
        while not self._stopping.wait(LOOK_S):
            try:
                self.close_bars()
                if time.monotonic() >= flush_at:
                    flush_at = time.monotonic() + FLUSH_S
                    self.flush()
            except Exception:
                metrics.count("bar_faults")
                log.exception("A round of bars failed; the next one follows")

    def stop(self) -> None:
        """Store the bars that are closed. One that is open is lost with the process, and so are those that
        wait while a write takes longer than `STOP_S`.
        """
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)
        if not self.is_alive():
            self.close_bars()
            self.flush()

    def close_bars(self) -> None:
        """Take the bars that are over from the builder, and the state of the feed."""
        since = self._since_now()
        self._coverage.look(since, silent=self._silent())
        with self._lock:
            if since != self._since:
                self._change_connection(since)
            due = self._builder.due(int(self._clock() * 1e6))
        for begin in range(0, len(due), _CLOSED_AT_ONCE):
            with self._lock:
                closed = self._builder.close(due[begin : begin + _CLOSED_AT_ONCE])
            for each in closed:
                if fault(each.bar):
                    self._counters["bar_absurd"] += 1
                else:
                    self._waiting.append(each)
        self._drop(len(self._waiting) - MAX_WAITING)

    def flush(self) -> None:
        """Store the coverage and the bars that wait, oldest first; on a failure they go on waiting."""
        if not self._may_write():
            # The lease may come back in a moment; after longer, another worker has bars of its own.
            oldest = self._clock() - STANDBY_S
            self._drop(sum(closed.bar.start < oldest for closed in self._waiting))
            return
        self._coverage.flush()
        while self._waiting:
            part = list(islice(self._waiting, _IN_ONE_WRITE))
            try:
                self._store(_by_key(part, self._reassigned))
            except DatabaseError as error:
                self._refuse(error)
                return
            except Exception:
                self._drop(len(part))  # the next try would fail alike
                raise
            for _ in part:
                self._waiting.popleft()
            self._stored += len(part)
            if self._refusal:
                log.info("Bars are stored again; %s lost so far", counted(self._lost, "bar"))
            self._refusal, self._refuses = "", False

    def _refuse(self, error: DatabaseError) -> None:
        """Log a failure once for as long as it stays the same. After a permanent one no bar is kept."""
        if str(error) != self._refusal:
            self._refusal = str(error)
            log.warning("Bars are not stored: %s. Prices go on.", str(error).rstrip("."))
        self._refuses = error.permanent
        if error.permanent:
            self._drop(len(self._waiting))

    def _drop(self, count: int) -> None:
        """Drop the oldest bars that wait."""
        for _ in range(count):
            self._waiting.popleft()
        self._lost += max(0, count)

    def _change_connection(self, since: int) -> None:
        if self._since:
            self._builder.disconnected()
        if since:
            self._builder.connected(since)
        self._since = since


def _by_key(closed: Iterable[ClosedBar], reassigned: Mapping[str, int]) -> dict[str, list[Bar]]:
    """Return bars by key; of two of one start the later one, which revises the other.

    Bars from before a key was given to another instrument are left out.
    """
    bars: dict[str, dict[int, Bar]] = {}
    for key, bar in closed:
        if bar.start * 1_000_000 < reassigned.get(key, 0):
            continue
        bars.setdefault(key, {})[bar.start] = bar
    return {key: [each[start] for start in sorted(each)] for key, each in bars.items()}
