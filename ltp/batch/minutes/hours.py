"""The trading hours of bars."""

from __future__ import annotations

from ltp.core.market.session import Calendar
from ltp.core.trading_day import date_of, midnight_of


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
            found = self._calendar.windows(segment, date_of(at))
            windows = self._windows[place] = [(window.start, window.end) for window in found]
        return windows
