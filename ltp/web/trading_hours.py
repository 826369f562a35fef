"""The calendar of a web process, with the file of late changes read again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ltp.core.market.session import Calendar
from ltp.errors import ConfigError

REREAD_S: Final = 30.0  # as the worker


class TradingHours:
    """Call it for the calendar. A file that is no longer accepted changes nothing; the worker logs it."""

    def __init__(self, load: Callable[[], Calendar], monotonic: Callable[[], float] = time.monotonic) -> None:
        """`load` reads the tables and the file of late changes; raises ConfigError."""
        self._load, self._monotonic = load, monotonic
        self._calendar, self._read_at = load(), monotonic()

    def __call__(self) -> Calendar:
        now = self._monotonic()
        if now - self._read_at >= REREAD_S:
            self._read_at = now
            try:
                self._calendar = self._load()
            except ConfigError:
                pass
        return self._calendar
