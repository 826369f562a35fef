"""Closes as a small line, of days or of one day's minutes: an SVG with a description for screen readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ltp.core.chart.geometry import Scale
from ltp.core.money import SCALE, Price, grouped_text

WIDTH: Final = 96
HEIGHT: Final = 20
_EDGE: Final = 2  # half the width of the line is drawn outside its points
_TENTHS: Final = tuple(f"{tenths / 10:.1f}" for tenths in range(HEIGHT * 10 + 1))  # of a pixel, as texts
PLACES: Final = WIDTH - 2 * _EDGE + 1  # of a day's closes: one a pixel


def sparkline(closes: Sequence[float]) -> str:
    """Return an <svg> of closes (rupees, oldest first), empty for fewer than two."""
    if len(closes) < 2:
        return ""
    lowest, highest, last = min(closes), max(closes), closes[-1]
    label = f"{len(closes)} days: low {_rupees(lowest)}, high {_rupees(highest)}, last {_rupees(last)}"
    step = (WIDTH - 2 * _EDGE) / (len(closes) - 1)
    return _svg([(round(_EDGE + at * step), close) for at, close in enumerate(closes)], closes[0], label)


def day_line(closes: Mapping[int, Price], before: Price | None, until: str, *, currency: bool = False) -> str:
    """Return an <svg> of a day's closes so far, empty for fewer than two.

    Args:
        closes: by their place in `range(PLACES)`, the length of the trading day; rising.
        before: the close of the session before, which decides the colour; without it the first close does.
        until: the time of the newest close, for the description.
    """
    if len(closes) < 2:
        return ""
    prices = list(closes.values())
    low, high, last = (
        grouped_text(price, currency=currency) for price in (min(prices), max(prices), prices[-1])
    )
    label = f"Today to {until}: low {low}, high {high}, last {last}"
    return _svg(
        [(_EDGE + at, close) for at, close in closes.items()], prices[0] if before is None else before, label
    )


def _svg(points: Sequence[tuple[int, float]], before: float, label: str) -> str:
    """Draw closes at places from the left edge. `before`: the price that decides the colour."""
    prices = [close for _, close in points]
    lowest, highest, last = min(prices), max(prices), prices[-1]
    direction = "g" if last > before else "l" if last < before else ""
    if highest == lowest:
        line = f"{points[0][0]},{HEIGHT // 2} {points[-1][0]},{HEIGHT // 2}"
    else:
        y = Scale(lowest, highest, _EDGE * 10, (HEIGHT - _EDGE) * 10).y
        line = " ".join([f"{x},{_TENTHS[round(y(close))]}" for x, close in points])
    return (
        f'<svg class="spark {direction}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{label}"><polyline points="{line}"/></svg>'
    )


def _rupees(value: float) -> str:
    return grouped_text(round(value * SCALE))
