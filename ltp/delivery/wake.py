"""Wakes the outbox at each firing; where Redis is away, its look each second finds them too."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Final

from ltp.errors import StoreError

log = logging.getLogger(__name__)
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0


class Waker(threading.Thread):
    """Subscribes again when the connection was cut, and wakes once then, because messages may be missing.

    Args:
        subscribe: yields None while nothing comes, and raises StoreError.
    """

    def __init__(self, subscribe: Callable[[], Iterator[object]], woken: threading.Event) -> None:
        super().__init__(name="waker", daemon=True)
        self._subscribe, self._woken = subscribe, woken
        self._pause = threading.Event()  # never set

    def run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                for body in self._subscribe():
                    wait_s = _FIRST_WAIT_S
                    if body is not None:
                        self._woken.set()
            except StoreError as error:
                log.warning("%s. Firings are found a second later.", error)
            self._woken.set()
            self._pause.wait(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
