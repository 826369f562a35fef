"""Overlays as SVG paths over bars that are `unit` wide."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby

from ltp.core.chart.geometry import Scale, changes
from ltp.web.charts.overlays import Overlay


def with_overlays(
    candles: str, overlays: Sequence[Overlay], days: Sequence[date], scale: Scale, unit: int
) -> str:
    """Return the shapes of candles between those of the overlays that lie behind and before them."""
    return shades(overlays, scale, unit) + candles + lines(overlays, days, scale, unit)


def lines(overlays: Iterable[Overlay], days: Sequence[date], scale: Scale, unit: int) -> str:
    begins = frozenset(changes(days))
    found = []
    for line in overlays:
        breaks = begins if line.by_session else ()
        shape = _steps(line.values, scale, unit) if line.steps else _line(line.values, breaks, scale, unit)
        found.append(f'<path class="{line.kind}" d="{shape}"/>')
    return "".join(found)


def shades(overlays: Iterable[Overlay], scale: Scale, unit: int) -> str:
    """Return the areas between two lines."""
    return "".join(
        f'<path class="shade" d="{_area(line.values, line.shaded_to, scale, unit)}"/>'
        for line in overlays
        if line.shaded_to
    )


def _line(values: Sequence[float | None], begins: Container[int], scale: Scale, unit: int) -> str:
    """Return a line through the middles of the bars, broken before `begins` and where a value is missing."""
    parts, joined = [], False
    for at, value in enumerate(values):
        joined = joined and at not in begins
        if value is not None:
            parts.append(f"{'L' if joined else 'M'}{_middle(at, unit)} {scale.y(value):.1f}")
        joined = value is not None
    return "".join(parts)


def _steps(values: Sequence[float | None], scale: Scale, unit: int) -> str:
    """Return a line that is level within each bar, broken where a value is missing."""
    parts, before = [], None
    for at, value in enumerate(values):
        if value is not None:
            y = round(scale.y(value))
            start = f"M{at * unit} {y}" if before is None else f"V{y}" if y != before else ""
            parts.append(f"{start}H{(at + 1) * unit}")
            before = y
        else:
            before = None
    return "".join(parts)


def _area(upper: Sequence[float | None], lower: Sequence[float | None], scale: Scale, unit: int) -> str:
    return "".join(
        "M"
        + "L".join(
            [f"{x} {scale.y(top):.1f}" for x, top, _ in run]
            + [f"{x} {scale.y(bottom):.1f}" for x, _, bottom in reversed(run)]
        )
        + "z"
        for run in _runs(upper, lower, unit)
    )


def _runs(
    upper: Sequence[float | None], lower: Sequence[float | None], unit: int
) -> Iterator[list[tuple[int, float, float]]]:
    """Yield place, upper and lower value of successive bars that have both."""
    pairs = enumerate(zip(upper, lower, strict=True))
    for present, group in groupby(pairs, key=lambda each: None not in each[1]):
        if present:
            yield [
                (_middle(at, unit), top, bottom)
                for at, (top, bottom) in group
                if top is not None and bottom is not None
            ]


def _middle(at: int, unit: int) -> int:
    return at * unit + unit // 2
