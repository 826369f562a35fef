"""The time axis of a chart: times of day within a session, else days, months or years, and session breaks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.chart.geometry import apart, changes
from ltp.web.charts.bar_text import minute_of_day, time_text

# Up to so many bars: how many labels have room in the least width of the chart, see `drawing.draw`.
_MOST: Final = ((80, 6), (170, 10))
_MOST_OF_WIDE: Final = 14
_THINNED: Final = 2.5  # times as many days or weeks may be thinned; of more, months are named
_STEPS: Final = (5, 15, 30, 60, 120, 240, 480)  # minutes


class _Label(NamedTuple):
    place: int
    text: str
    begins: bool  # a session, a month or a year, with a line across the chart


class TimeAxis:
    def __init__(self, bars: Sequence[Bar], days: Sequence[date], places: int, *, daily: bool) -> None:
        """Args:
        days: the session of each bar.
        places: of the chart, which may have an empty one at its end.
        """
        self._places = places
        self._most = next((labels for most, labels in _MOST if places <= most), _MOST_OF_WIDE)
        sessions = changes(days)
        self._breaks = [] if daily else sessions
        self._labels = self._of_days(days) if daily or sessions else self._of_times(bars)

    def markup(self, height: int) -> str:
        """Return texts at the bottom of a plot of `height` pixels, with lines above them."""
        lined = {label.place for label in self._labels if label.begins} | set(self._breaks)
        kind = ' class="break"' if self._breaks else ""
        lines = "".join(
            f'<line{kind} x1="{x}%" x2="{x}%" y1="0" y2="{height - 18}"/>'
            for x in map(self._share, sorted(lined))
        )
        return lines + "".join(self._text(label, height - 5) for label in self._labels)

    def _of_times(self, bars: Sequence[Bar]) -> list[_Label]:
        for step in _STEPS:
            found = changes([minute_of_day(bar.start) // step for bar in bars])
            if len(found) <= self._most:
                break
        # Where bars are missing, neighbours may be hours apart.
        kept = apart(found, self._places / self._most / 2)
        return [_Label(place, time_text(bars[place].start), begins=False) for place in kept]

    def _of_days(self, days: Sequence[date]) -> list[_Label]:
        """Return labels of the finest kind that fits, thinned where none does."""
        kinds: tuple[tuple[list[Hashable], Callable[[date], str]], ...] = (
            (list(days), _day),
            ([day.isocalendar()[:2] for day in days], _day),
            ([(day.year, day.month) for day in days], lambda day: f"{day:%b %Y}"),
        )
        begins = [(changes(keys), text) for keys, text in kinds]
        found, text = next((each for each in begins if len(each[0]) <= self._most * _THINNED), begins[-1])
        kept = apart([0, *found] if self._breaks or not found else found, self._places / self._most)
        return [_Label(place, text(days[place]), begins=place > 0) for place in kept]

    def _text(self, label: _Label, y: int) -> str:
        """Return a text below its bar, or beside the line of its session; the last ones end at the edge."""
        share = self._share(label.place)
        if label.begins or label.place == 0:
            anchor, shift = ("end", -3) if share > 92 else ("start", 3)
        else:
            share, shift = self._share(label.place + 0.5), 0
            anchor = "start" if share < 4 else "end" if share > 96 else "middle"
        return f'<text x="{share}%" dx="{shift}" y="{y}" text-anchor="{anchor}">{label.text}</text>'

    def _share(self, place: float) -> float:
        return round(place / self._places * 100, 2)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
