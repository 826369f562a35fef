"""Results to lines of text: the one table, for the terminal, the page in docs/ and the file the scaling model
reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bench.model import FLOOR, OURS, Bar, Line
from bench.rounds import Result

HEADINGS: Final = ("case", "figure", "ours", "spread", "floor", "ours / floor", "peers", "bar", "met")


class Entry(NamedTuple):
    """One line of the table, as text. `verdict`: yes, no, or the reason why there is none."""

    case: str
    figure: str
    ours: str
    spread: str
    floor: str
    ratio: str
    peers: str
    bar: str
    verdict: str


def entries(results: Iterable[Result]) -> list[Entry]:
    return [_entry(result, line) for result in results for line in result.case.lines]


def _entry(result: Result, line: Line) -> Entry:
    medians, values = result.medians(line.figure), result.values(OURS, line.figure)
    unit = f", {line.unit}" if line.unit else ""
    figure = f"{line.title}{unit}"
    bars = ", ".join(map(str, line.bars))
    peers = {name: median for name, median in medians.items() if name not in (OURS, FLOOR)}
    told = [f"{name} {number(median)}" for name, median in peers.items()]
    told += [f"{name}: {why}" for name, why in result.absent.items() if name != OURS and _first(result, line)]
    if not values:
        why = result.absent.get(OURS, "not measured")
        return Entry(
            result.case.title, figure, "–", "", _shown(medians, FLOOR), "", "; ".join(told), bars, why
        )
    ours = medians[OURS]
    ratio = f"{ours / medians[FLOOR]:.2f}" if medians.get(FLOOR) else ""
    spread = f"{number(min(values))} – {number(max(values))}" if len(values) > 1 else ""
    verdict = _verdict(result, line, ours, medians)
    return Entry(
        result.case.title,
        figure,
        number(ours),
        spread,
        _shown(medians, FLOOR),
        ratio,
        "; ".join(told),
        bars,
        verdict,
    )


def _verdict(result: Result, line: Line, ours: float, medians: Mapping[str, float]) -> str:
    if result.wrong and _first(result, line):
        return f"no: {result.wrong[0]}"
    verdicts = [_word(bar, bar.met(ours, medians)) for bar in line.bars]
    return ", ".join(dict.fromkeys(verdicts)) if len(set(verdicts)) < 2 else ", ".join(verdicts)


def _word(bar: Bar, met: bool | None) -> str:
    if met is None:
        return f"no figure of {bar.times}"
    if met:
        return "yes"
    return "not yet" if bar.wish else "NO"


def _first(result: Result, line: Line) -> bool:
    return line is result.case.lines[0]


def _shown(medians: Mapping[str, float], name: str) -> str:
    return number(medians[name]) if name in medians else ""


def number(value: float) -> str:
    """Return three digits that count."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def plain_text(lines: Sequence[Entry]) -> str:
    rows = [HEADINGS, *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def markdown(lines: Sequence[Entry]) -> str:
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (HEADINGS, *lines)]
    return "\n".join([rows[0], "|" + "---|" * len(HEADINGS), *rows[1:]])


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    """Return medians and spreads by case, contender and figure."""
    return {result.case.name: {name: _summary(result, name) for name in result.runs} for result in results}


def _summary(result: Result, contender: str) -> dict[str, Any]:
    figures = dict.fromkeys(figure for run in result.runs[contender] for figure in run)
    summary: dict[str, Any] = {}
    for figure in figures:
        values = sorted(result.values(contender, figure))
        summary[figure] = {
            "median": result.medians(figure)[contender],
            "least": values[0],
            "most": values[-1],
        }
    return summary
