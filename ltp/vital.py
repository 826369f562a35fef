"""The threads that a process depends on: a process of which one has ended is started again, not kept half
alive.

A worker without its flush thread would hold the lease and write nothing, and no standby could lead. A web
process without its writer would hold its browsers and send them nothing. Under gunicorn threads are
greenlets, which end in the same way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Final

ENDED: Final = 1  # any but 0 makes a supervisor start the process again; gunicorn gives up on 3 and 4

log = logging.getLogger(__name__)


class Vital:
    """Make it in the main thread before the threads start, and ask `ended` there at least once a second
    afterwards.
    """

    def __init__(self, *threads: threading.Thread) -> None:
        self._threads = list(threads)
        self._raised: dict[threading.Thread, BaseException] = {}
        self._otherwise = threading.excepthook
        threading.excepthook = self._note

    def add(self, threads: Iterable[threading.Thread]) -> None:
        self._threads += threads

    def ended(self) -> bool:
        """Tell whether one of the threads is no longer alive, and log the first such thread with what ended
        it.
        """
        thread = next((thread for thread in self._threads if not thread.is_alive()), None)
        if thread is None:
            return False
        error = self._raised.get(thread)
        reason = f"{type(error).__name__}: {error}" if error else "it returned"
        log.critical(
            "The thread %s ended (%s). This process cannot do its work without it and ends with status %d",
            thread.name,
            reason.rstrip("."),
            ENDED,
            exc_info=error,
        )
        return True

    def _note(self, args: threading.ExceptHookArgs) -> None:
        """Keep what ended a thread for the one line about it; what ends any other thread is shown as before."""
        if args.thread in self._threads and args.exc_value is not None:
            self._raised[args.thread] = args.exc_value
        else:
            self._otherwise(args)
