"""Pauses of a search in a web process, in which its event loop serves streams and other requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

WORK_S: Final = 0.0005
# Not 0: gevent then runs other greenlets that are ready, and polls neither timers nor sockets for a while.
_PAUSE_S: Final = 0.0001


class Turns:
    """Call it after each piece of work: it pauses if half a millisecond has passed since the last pause."""

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        # Looked up now: gevent may have replaced it since this module was imported.
        self._clock, self._sleep = clock, sleep or time.sleep
        self._since = clock()

    def __call__(self) -> None:
        if self._clock() - self._since >= WORK_S:
            self._sleep(_PAUSE_S)
            self._since = self._clock()
