"""Memory that a burst needed, returned to the system instead of staying with this process until its end."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 30.0
# Bytes since the last look: less is not worth the milliseconds in which no other greenlet runs.
_GROWN: Final = 8 << 20


def resident() -> int:
    """Return the resident memory of this process in bytes, 0 where /proc has no such file."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return 0


def trim() -> None:
    """Have the C library return freed memory. Only GNU's keeps it; others return it by themselves."""
    if sys.platform == "linux":
        give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if give_back is not None:
            give_back(0)


class Memory:
    """Returns freed memory every half minute if the process grew. `look` may be called any number of times.

    For one thread.
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
