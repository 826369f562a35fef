"""Days and trading hours of bars. A day is named by its midnight in India, in seconds since the epoch."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST

DAY_S: Final = 86_400
_IST_S: Final = 19_800


def midnight_of(at: int) -> int:
    """Return the midnight before an instant, seconds since the epoch."""
    return at - (at + _IST_S) % DAY_S


def day_of(at: int) -> date:
    return datetime.fromtimestamp(at, IST).date()


class Hours:
    """The trading windows of a calendar, kept by segment and day: bars ask for the same ones a million times."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._windows: dict[tuple[str, int], list[tuple[int, int]]] = {}

    def windows(self, segment: str, at: int) -> list[tuple[int, int]]:
        """Return the windows of the day of an instant: first second, and the second after the last."""
        place = (segment, midnight_of(at))
        windows = self._windows.get(place)
        if windows is None:
            found = self._calendar.windows(segment, day_of(at))
            windows = self._windows[place] = [(window.start, window.end) for window in found]
        return windows
