"""The closes of one share with the levels of its plan, as an SVG drawn here: a picture that needs no script.

Pure: rupees in, markup out. What it shows is said in words in its label, for whoever cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price, grouped_text
from ltp.core.screener import Row

WIDTH: Final = 720
HEIGHT: Final = 280
_LEFT: Final = 8
_RIGHT: Final = 168  # where the levels are named
_EDGE: Final = 16  # where there are none
_TOP: Final = 24
_BOTTOM: Final = 24
_LINE: Final = 15  # names of levels nearer than this would be written over one another
_FAR_PCT: Final = 40  # a level farther from every close would press them into a flat line


class Level(NamedTuple):
    """A price in rupees with what it is called; `kind`: its class."""

    name: str
    kind: str
    price: float


def chart(row: Row, stop: str = "Stop") -> str:
    """Return an <svg> of the row's newest closes, empty for fewer than two. `stop`: what the plan calls its stop."""
    closes = row.spark
    if len(closes) < 2:
        return ""
    levels = [level for level in _levels(row, stop) if _near(level.price, closes)]
    zone = _zone(row, closes)
    prices = [*closes, *(level.price for level in levels), *zone]
    scale = _Scale(min(prices), max(prices), WIDTH - (_RIGHT if levels else _EDGE))
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_label(closes, levels)}">'
        f"{_band(zone, scale)}{_lines(levels, scale)}{_closes(closes, scale)}</svg>"
    )


class _Scale:
    """`right`: where the line of closes ends."""

    def __init__(self, lowest: float, highest: float, right: int) -> None:
        self._highest, self.right = highest, right
        self._per_rupee = (HEIGHT - _TOP - _BOTTOM) / ((highest - lowest) or 1)

    def y(self, price: float) -> float:
        return round(_TOP + (self._highest - price) * self._per_rupee, 1)


def _levels(row: Row, stop: str) -> list[Level]:
    named = (("Target", "target", row.target), ("Entry", "entry", row.entry), (stop, "stop", row.stop))
    return [Level(name, kind, price / SCALE) for name, kind, price in named if price is not None]


def _zone(row: Row, closes: Sequence[float]) -> tuple[float, ...]:
    bounds: tuple[Price | None, ...] = (row.entry_low, row.entry_high)
    zone = tuple(price / SCALE for price in bounds if price is not None)
    return zone if len(zone) == 2 and all(_near(price, closes) for price in zone) else ()


def _near(price: float, closes: Sequence[float]) -> bool:
    return min(closes) * (1 - _FAR_PCT / 100) <= price <= max(closes) * (1 + _FAR_PCT / 100)


def _band(zone: Sequence[float], scale: _Scale) -> str:
    if not zone:
        return ""
    top, bottom = scale.y(max(zone)), scale.y(min(zone))
    return f'<rect class="zone" x="{_LEFT}" y="{top}" width="{scale.right - _LEFT}" height="{max(1.0, bottom - top):.1f}"/>'


def _lines(levels: Sequence[Level], scale: _Scale) -> str:
    drawn, free = [], 0.0
    for level in sorted(levels, key=lambda level: -level.price):
        y = scale.y(level.price)
        text_y = max(y, free)
        free = text_y + _LINE
        drawn.append(
            f'<line class="{level.kind}" x1="{_LEFT}" x2="{scale.right}" y1="{y}" y2="{y}"/>'
            f'<text class="{level.kind}" x="{scale.right + 8}" y="{text_y + 4:.1f}">{level.name} {_rupees(level.price)}</text>'
        )
    return "".join(drawn)


def _closes(closes: Sequence[float], scale: _Scale) -> str:
    step = (scale.right - _LEFT) / (len(closes) - 1)
    xs = [round(_LEFT + at * step, 1) for at in range(len(closes))]
    points = " ".join(f"{x},{scale.y(close)}" for x, close in zip(xs, closes, strict=True))
    end = f'<circle cx="{scale.right}" cy="{scale.y(closes[-1])}" r="3"/>'
    highest, lowest = (_named(xs, closes, close, scale, beside) for close, beside in ((max(closes), -8), (min(closes), 17)))
    return f'<polyline points="{points}"/>{end}{highest}{lowest}'


def _named(xs: Sequence[float], closes: Sequence[float], close: float, scale: _Scale, beside: int) -> str:
    """Return the price of the highest or lowest close beside it, so that the line has a measure."""
    x = xs[closes.index(close)]
    anchor = "start" if x < WIDTH / 4 else "end" if x > WIDTH / 2 else "middle"
    return f'<text x="{x}" y="{scale.y(close) + beside:.1f}" text-anchor="{anchor}">{_rupees(close)}</text>'


def _label(closes: Sequence[float], levels: Sequence[Level]) -> str:
    told = [f"{len(closes)} closes: low {_rupees(min(closes))}, high {_rupees(max(closes))}, last {_rupees(closes[-1])}"]
    return ", ".join([*told, *(f"{level.name.lower()} {_rupees(level.price)}" for level in levels)])


def _rupees(value: float) -> str:
    return grouped_text(round(value * SCALE))
