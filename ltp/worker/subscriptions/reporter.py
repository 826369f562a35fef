"""The thread that writes the table of subscriptions into Redis, while somebody looks at it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from ltp import metrics
from ltp.errors import StoreError

LOOK_EVERY_S: Final = 0.5
MAKE_EVERY_S: Final = 2.0
STOP_S: Final = 0.5

log = logging.getLogger(__name__)


class TableReporter(threading.Thread):
    """While nobody looks, it asks Redis twice a second whether somebody does, and nothing else.

    Args:
        is_looked_at: whether somebody looks. Raises StoreError.
        make: makes the table and stores it. Raises StoreError.
        rest: called where nobody looks.
        active: whether this worker leads.
    """

    def __init__(
        self,
        *,
        is_looked_at: Callable[[], bool],
        make: Callable[[], None],
        rest: Callable[[], None],
        active: Callable[[], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name="subscriptions", daemon=True)
        self._is_looked_at, self._make, self._rest = is_looked_at, make, rest
        self._active, self._monotonic = active, monotonic
        self._stopping = threading.Event()
        self._due = float("-inf")
        self._failing = False

    def stop(self) -> None:
        """End the thread, within half a second."""
        self._stopping.set()
        if self.is_alive():
            self.join(STOP_S)

    def run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.step()
                self._failing = False
            except StoreError as error:
                if not self._failing:
                    log.warning("%s. The page of subscriptions has no table until then.", error)
                self._failing = True
            except Exception:
                metrics.count("subscription_table_faults")
                log.exception("The table of subscriptions could not be made; prices are not affected")

    def step(self) -> None:
        """Make the table where somebody looks and it is due. Raises StoreError."""
        if not self._active() or not self._is_looked_at():
            self._due = float("-inf")
            self._rest()
        elif self._monotonic() >= self._due:
            self._due = self._monotonic() + MAKE_EVERY_S
            self._make()
