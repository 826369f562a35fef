"""The newest closes of a share as a small line: an SVG with a description in words for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ltp.core.chart.geometry import Scale
from ltp.core.money import SCALE, grouped_text

WIDTH: Final = 96
HEIGHT: Final = 20
_EDGE: Final = 2  # half the width of the line is drawn outside its points


def sparkline(closes: Sequence[float]) -> str:
    """Return an <svg> of closes (rupees, oldest first), empty for fewer than two."""
    if len(closes) < 2:
        return ""
    lowest, highest, last = min(closes), max(closes), closes[-1]
    direction = "g" if last > closes[0] else "l" if last < closes[0] else ""
    label = f"{len(closes)} days: low {_rupees(lowest)}, high {_rupees(highest)}, last {_rupees(last)}"
    return (
        f'<svg class="spark {direction}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{label}"><polyline points="{_points(closes, lowest, highest)}"/></svg>'
    )


def _points(closes: Sequence[float], lowest: float, highest: float) -> str:
    step = (WIDTH - 2 * _EDGE) / (len(closes) - 1)
    if highest == lowest:
        return f"{_EDGE},{HEIGHT // 2} {WIDTH - _EDGE},{HEIGHT // 2}"
    scale = Scale(lowest, highest, _EDGE, HEIGHT - _EDGE)
    return " ".join(f"{_EDGE + at * step:.0f},{scale.y(close):.1f}" for at, close in enumerate(closes))


def _rupees(value: float) -> str:
    return grouped_text(round(value * SCALE))
