"""The values of bars as texts, for the tooltips of a chart and for the table of the same bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from ltp.core.bars.bar import Bar, mark_names, source_name
from ltp.core.money import group_indian, grouped_text
from ltp.core.trading_day import IST_OFFSET_S

_LAKH, _CRORE = 100_000, 10_000_000


class BarText(NamedTuple):
    """`when`: "27 Nov 10:41", or a date. `marks`: names with commas between. `source`: empty for a day."""

    when: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    marks: str
    source: str

    def beside(self, words: str) -> BarText:
        """Return it with words before its marks, such as "closing auction"."""
        return self._replace(marks=", ".join(filter(None, (words, self.marks)))) if words else self

    @property
    def tooltip(self) -> str:
        parts = (
            self.when,
            f"open {self.open}",
            f"high {self.high}",
            f"low {self.low}",
            f"close {self.close}",
            f"volume {self.volume}",
            self.marks,
        )
        return "\n".join(part for part in parts if part)


def texts(bars: Sequence[Bar], days: Iterable[date], *, daily: bool, currency: bool) -> list[BarText]:
    """Return the texts of bars whose sessions are `days`."""
    # Each price once: a session of 375 minutes has some 100 different prices in its 1,500 values.
    prices = {
        price: grouped_text(price, currency=currency)
        for price in {price for bar in bars for price in bar[1:5]}
    }
    names: dict[date, str] = {}
    found = []
    for bar, day in zip(bars, days, strict=True):
        if day not in names:
            names[day] = day_text(day) if daily else f"{day.day} {day:%b}"
        when = names[day] if daily else f"{names[day]} {time_text(bar.start)}"
        open_, high, low, close = (prices[price] for price in bar[1:5])
        marks, source = ", ".join(mark_names(bar.marks)), "" if daily else source_name(bar.sources)
        found.append(BarText(when, open_, high, low, close, group_indian(str(bar.volume)), marks, source))
    return found


def rows(shown: Sequence[BarText]) -> str:
    """Return the rows of a table with the columns of `BarText`, the newest first."""
    return "".join(
        f'<tr><th scope="row">{each.when}</th><td>{each.open}</td><td>{each.high}</td><td>{each.low}</td>'
        f'<td>{each.close}</td><td>{each.volume}</td><td class="t">{each.marks}</td><td class="t">{each.source}</td></tr>\n'
        for each in reversed(shown)
    )


def day_text(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def minute_of_day(start: int) -> int:
    """Return the minutes since midnight in India of seconds since the epoch."""
    return (start + IST_OFFSET_S) // 60 % 1_440


def time_text(start: int) -> str:
    """Return the time of day in India of seconds since the epoch: "10:41"."""
    minute = minute_of_day(start)
    return f"{minute // 60:02d}:{minute % 60:02d}"


def short_volume(volume: int) -> str:
    """Return a volume for an axis: "2.4 cr", "12.3 lakh" or "8,500"."""
    if volume >= _CRORE:
        return f"{volume / _CRORE:,.1f} cr"
    return f"{volume / _LAKH:.1f} lakh" if volume >= _LAKH else group_indian(str(volume))
