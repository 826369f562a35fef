"""Memory that a burst took goes back to the system, instead of lying unused in this process until it ends."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 30.0
_GROWN: Final = (
    8 << 20
)  # bytes since the last time: less is not worth the milliseconds in which nothing else runs


def resident() -> int:
    """Return how many bytes of memory this process has, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as told:
            return int(told.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def trim() -> None:
    """Have the C library return what it holds and nothing uses; other libraries than GNU's return it by
    themselves.
    """
    if sys.platform == "linux":
        give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if give_back is not None:
            give_back(0)


class Memory:
    """Call `look` as often as you like, from one thread: every half minute it gives back what was freed, if
    it grew.
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        resident: Callable[[], int] = resident,
        trim: Callable[[], None] = trim,
    ) -> None:
        self._monotonic, self._resident, self._trim = monotonic, resident, trim
        self._next_s = monotonic() + EVERY_S
        self._least = resident()

    def look(self) -> None:
        now = self._monotonic()
        if now < self._next_s:
            return
        self._next_s = now + EVERY_S
        if self._resident() - self._least >= _GROWN:
            self._trim()
        self._least = min(self._resident(), self._least) or self._least
