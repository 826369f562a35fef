"""A lock that goes to the thread that waits for it, not back to the one that gave it up."""

from __future__ import annotations

import threading


class TurnLock:
    """For `with`. A thread that takes and gives up a plain lock in a loop, as one that puts 50,000 watches into the
    book, has it again before another one has woken up: the feed would wait for the whole loop.
    """

    def __init__(self) -> None:
        # Who waits for the lock holds the gate, so nobody else can come first.
        self._gate, self._lock = threading.Lock(), threading.Lock()

    def __enter__(self) -> None:
        with self._gate:
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
