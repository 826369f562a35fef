"""The chart of a share: closes, their averages and the levels of its plan, as SVG.

Pure: rupees in, markup out. A description in words goes with it, for screen readers. Lines have names and
different dashes, so a reader need not distinguish their colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from ltp.core.chart.geometry import Scale, changes
from ltp.core.history.price_history import Closes
from ltp.core.money import SCALE, grouped_text
from ltp.core.screener import Row

WIDTH: Final = 720
HEIGHT: Final = 320
_LEFT: Final = 8
_RIGHT: Final = 176  # room for the names of lines
_TOP: Final = 24
_BOTTOM: Final = 44  # room for the names of months
_NAME: Final = 150  # the width of two names side by side
_LINE: Final = 15  # the height of a name: nearer ones would overlap
_FAR_PCT: Final = 40  # a level farther from all closes is not drawn: they would shrink to a flat line
_MONTHS: Final = 6  # named at most


class NamedPrice(NamedTuple):
    """A price in rupees with its name. `kind`: its CSS class."""

    name: str
    kind: str
    price: float


class Chart(NamedTuple):
    """`svg`: empty for fewer than two closes. `words`: the description. `sessions`: the number of closes."""

    svg: str
    words: str
    sessions: int
    last: date | None


def chart(row: Row, past: Closes, made: date | None = None, stop: str = "Stop") -> Chart:
    """Draw closes with the levels of the row's plan.

    Args:
        past: closes and averages; without days there is no time axis.
        made: the session of the plan, marked if closes follow it.
        stop: the screener's name for the stop.
    """
    closes = past.closes
    if len(closes) < 2:
        return Chart("", "", len(closes), None)
    levels = _levels(row, stop)
    near = [level for level in levels if _near(level.price, closes)]
    zone = _zone(row, closes)
    averages = [price for line in (past.fast, past.slow) for price in line if price is not None]
    scale = _Scale([*closes, *averages, *(level.price for level in near), *zone], len(closes))
    words = _words(past, levels)
    shapes = (
        _months(past.days, scale),
        _zone_band(zone, scale),
        _plan_session(past, made, scale),
        _level_lines(near, scale),
        _average(past.slow, "slow", scale),
        _average(past.fast, "fast", scale),
        _closes(closes, near, scale),
        _names([*near, *_ends(past)], scale),
    )
    title = f"{len(closes)} daily closes{' with the plan' if near else ''}"
    svg = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title"'
        f' aria-describedby="chart-desc"><title id="chart-title">{title}</title>'
        f'<desc id="chart-desc">{words}</desc>{"".join(shapes)}</svg>'
    )
    return Chart(svg, words, len(closes), past.days[-1] if past.days else None)


class _Scale:
    """Pixels of prices and of places in the sequence of closes. `right`: the end of all lines."""

    right: Final = WIDTH - _RIGHT

    def __init__(self, prices: Sequence[float], count: int) -> None:
        self._prices = Scale(min(prices), max(prices), _TOP, HEIGHT - _BOTTOM)
        self._step = (self.right - _LEFT) / (count - 1)

    def y(self, price: float) -> float:
        return round(self._prices.y(price), 1)

    def x(self, place: int) -> float:
        return round(_LEFT + place * self._step, 1)


def _levels(row: Row, stop: str) -> list[NamedPrice]:
    named = (("Target", "target", row.target), ("Entry", "entry", row.entry), (stop, "stop", row.stop))
    return [NamedPrice(name, kind, price / SCALE) for name, kind, price in named if price is not None]


def _ends(past: Closes) -> list[NamedPrice]:
    """Return the last close and the last averages, which are named at the end of their lines."""
    averages = (("EMA 50", "fast", past.fast), ("EMA 200", "slow", past.slow))
    last = [
        NamedPrice(name, kind, line[-1]) for name, kind, line in averages if line and line[-1] is not None
    ]
    return [NamedPrice("Close", "close", past.closes[-1]), *last]


def _zone(row: Row, closes: Sequence[float]) -> tuple[float, ...]:
    zone = tuple(price / SCALE for price in (row.entry_low, row.entry_high) if price is not None)
    return zone if len(zone) == 2 and all(_near(price, closes) for price in zone) else ()


def _near(price: float, closes: Sequence[float]) -> bool:
    return min(closes) * (1 - _FAR_PCT / 100) <= price <= max(closes) * (1 + _FAR_PCT / 100)


def _zone_band(zone: Sequence[float], scale: _Scale) -> str:
    if not zone:
        return ""
    top, bottom = scale.y(max(zone)), scale.y(min(zone))
    width, height = scale.right - _LEFT, max(1.0, bottom - top)
    return f'<rect class="zone" x="{_LEFT}" y="{top}" width="{width}" height="{height:.1f}"/>'


def _level_lines(levels: Sequence[NamedPrice], scale: _Scale) -> str:
    ys = ((level.kind, scale.y(level.price)) for level in levels)
    return "".join(
        f'<line class="{kind}" x1="{_LEFT}" x2="{scale.right}" y1="{y}" y2="{y}"/>' for kind, y in ys
    )


def _names(named: Sequence[NamedPrice], scale: _Scale) -> str:
    """Return the names of lines beside their ends, moved apart where they would overlap."""
    ordered = sorted(named, key=lambda each: -each.price)
    lowest = HEIGHT - _BOTTOM + 10 - _LINE * (len(ordered) - 1)
    x, texts, free = scale.right + 8, [], 0.0
    for place, each in enumerate(ordered):
        y = min(max(scale.y(each.price), free), lowest + place * _LINE)
        free = y + _LINE
        text = f"{each.name} {_rupees(each.price)}"
        texts.append(f'<text class="{each.kind}" x="{x}" y="{y + 4:.1f}">{text}</text>')
    return "".join(texts)


def _closes(closes: Sequence[float], levels: Sequence[NamedPrice], scale: _Scale) -> str:
    points = " ".join(f"{scale.x(place)},{scale.y(close)}" for place, close in enumerate(closes))
    end = f'<circle cx="{scale.right}" cy="{scale.y(closes[-1])}" r="3"/>'
    lines = [scale.y(level.price) for level in levels]
    extremes = "".join(
        _extreme(closes, close, scale, lines, way) for close, way in ((max(closes), -1), (min(closes), 1))
    )
    return f'<polyline class="close" points="{points}"/>{end}{extremes}'


def _average(line: Sequence[float | None], kind: str, scale: _Scale) -> str:
    points = " ".join(
        f"{scale.x(place)},{scale.y(price)}" for place, price in enumerate(line) if price is not None
    )
    return f'<polyline class="{kind}" points="{points}"/>' if points else ""


def _extreme(closes: Sequence[float], close: float, scale: _Scale, lines: Sequence[float], way: int) -> str:
    """Return the price of the highest or lowest close as a text above or below it, the measure of the line.

    Args:
        lines: the heights of the levels, which the text leaves free if there is room beside them.
        way: -1 for above the close, 1 for below it.
    """
    x, y = scale.x(closes.index(close)), scale.y(close)
    near = y + (-8 if way < 0 else 17)
    places = [
        place
        for step in range(3)
        if _LINE <= (place := near + way * step * _LINE / 2) <= HEIGHT - _BOTTOM + 22
    ]
    free = (place for place in places if not any(place - 13 < line < place + 5 for line in lines))
    y = next(free, places[0] if places else near)
    anchor = "start" if x < WIDTH / 6 else "end" if x > WIDTH / 2 else "middle"
    return f'<text x="{x}" y="{y:.1f}" text-anchor="{anchor}">{_rupees(close)}</text>'


def _months(days: Sequence[date], scale: _Scale) -> str:
    """Return the marks of the beginnings of months, `_MONTHS` at most."""
    begins = changes([day.month for day in days])
    every = -(-len(begins) // _MONTHS) or 1
    named = ((scale.x(at), days[at]) for at in begins[::every])
    return "".join(
        f'<line class="month" x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{HEIGHT - _BOTTOM + 12}"/>'
        f'<text x="{x + 3:.1f}" y="{HEIGHT - 8}">{day:%b %Y}</text>'
        for x, day in named
        if x < scale.right - 60
    )


def _plan_session(past: Closes, made: date | None, scale: _Scale) -> str:
    """Return the mark of the plan's session, empty unless closes follow it.

    Its name is above, or below if the price of the highest close is above.
    """
    days = past.days
    if made is None or made not in days or made == days[-1]:
        return ""
    x = scale.x(days.index(made))
    beside = abs(scale.x(past.closes.index(max(past.closes))) - x) < _NAME
    y = HEIGHT - _BOTTOM + 24 if beside else _TOP - 10
    return (
        f'<line class="made" x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{HEIGHT - _BOTTOM + 12}"/>'
        f'<text class="made" x="{x - 4:.1f}" y="{y}" text-anchor="end">plan of {made.day} {made:%b}</text>'
    )


def _words(past: Closes, levels: Sequence[NamedPrice]) -> str:
    closes, days = past.closes, past.days
    when = f" from {_day(days[0])} to {_day(days[-1])}" if days else ""
    low, high, last = (_rupees(price) for price in (min(closes), max(closes), closes[-1]))
    ends = [each for each in _ends(past) if each.kind != "close"]
    summary = f"{len(closes)} closes{when}: lowest {low}, highest {high}, last {last}"
    return ", ".join([summary, *(f"{each.name} {_rupees(each.price)}" for each in [*ends, *levels])])


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _rupees(value: float) -> str:
    return grouped_text(round(value * SCALE))
