"""Health of a web process: the lag of its event loop and the rates of its counters.

Under gunicorn all threads are greenlets of one event loop. Code that blocks the loop delays every stream and
request, and also the sleeps of this module's thread, which are therefore the measure.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from ltp import metrics
from ltp.core.rates import Rates
from ltp.memory import Memory

EVERY_S: Final = 0.05
WINDOW_S: Final = 60.0
RATES_OVER_S: Final = 5.0  # a shorter window makes the rates of a quiet process jump


class LoopLag(NamedTuple):
    """Seconds by which sleeps ended too late. Only `worst_s` shows one long stop among many sleeps."""

    p50_s: float
    p99_s: float
    worst_s: float


class Vitals:
    """Samples the lag every 50 ms. `start` it once per process, after the fork.

    `began_s`: instant of the start, seconds since the epoch; 0 before. `rates`: of the counters of `metrics`.
    """

    def __init__(
        self,
        *,
        counts: Callable[[], Mapping[str, int]] = metrics.snapshot,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._counts, self._monotonic, self._sleep = counts, monotonic, sleep
        self._late: deque[tuple[float, float]] = deque(maxlen=round(WINDOW_S / EVERY_S))
        self._thread: threading.Thread | None = None
        self.rates = Rates(RATES_OVER_S)
        self.began_s = 0.0

    def start(self) -> threading.Thread:
        """Start the thread at the first call, and return it at each."""
        if self._thread is None:
            self.began_s = time.time()
            self._thread = threading.Thread(target=self._run, name="vitals", daemon=True)
            self._thread.start()
        return self._thread

    def _run(self) -> None:
        memory = Memory()
        while True:
            self.sample()
            memory.look()

    def sample(self) -> None:
        """Sleep once and record by how much the sleep was too long."""
        due_s = self._monotonic() + EVERY_S
        self._sleep(EVERY_S)
        now_s = self._monotonic()
        self._late.append((now_s, max(0.0, now_s - due_s)))
        self.rates.take(self._counts(), now_s)

    def lag(self) -> LoopLag | None:
        """Return the lag of the last minute, None before the first sample."""
        since_s = self._monotonic() - WINDOW_S
        late = sorted(late_s for at_s, late_s in list(self._late) if at_s > since_s)
        return LoopLag(_quantile(late, 0.50), _quantile(late, 0.99), late[-1]) if late else None


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]
