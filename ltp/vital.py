"""The threads that a process depends on: when one of them has ended, the process must end and be restarted.

A worker without its flush thread would hold the lease and write nothing, and no standby could lead. A web
process without its writer would hold its browsers and send them nothing. Under gunicorn threads are
greenlets, which end in the same way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Final

ENDED: Final = 1  # any status but 0 makes a supervisor restart the process; gunicorn gives up on 3 and 4

log = logging.getLogger(__name__)


class Vital:
    """Watches threads. Create it in the main thread before they start; call `ended` there every second."""

    def __init__(self, *threads: threading.Thread) -> None:
        self._threads = list(threads)
        self._raised: dict[threading.Thread, BaseException] = {}
        self._otherwise = threading.excepthook
        threading.excepthook = self._note

    def add(self, threads: Iterable[threading.Thread]) -> None:
        self._threads += threads

    def ended(self) -> bool:
        """Return whether one of the threads is no longer alive; log the first with its exception."""
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
        """Keep the exception of a watched thread for the one line about it; pass the others on."""
        if args.thread in self._threads and args.exc_value is not None:
            self._raised[args.thread] = args.exc_value
        else:
            self._otherwise(args)
