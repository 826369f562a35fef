"""Measuring a case: every contender once a round, in turn, so that a disturbance of the machine hits all of
them.
"""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.model import OURS, Case, Figures, Scale, Turn
from bench.servers import Failed


@dataclass
class Result:
    """`runs` by contender, one a round. `absent`: why a contender has none. `wrong`: faults that the checks
    found.
    """

    case: Case
    runs: dict[str, list[Figures]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def values(self, contender: str, figure: str) -> list[float]:
        return [run[figure] for run in self.runs.get(contender, []) if figure in run]

    def medians(self, figure: str) -> dict[str, float]:
        """Return the median of a figure by contender, for those that have it."""
        found = {name: self.values(name, figure) for name in self.case.contenders}
        return {name: statistics.median(values) for name, values in found.items() if values}


def measure(case: Case, rounds: int, scale: Scale, tell: Callable[[str], None]) -> Result:
    """Run all rounds. A contender that fails once is left out from then on, and the others go on."""
    result = Result(case)
    for number in range(1, rounds + 1):
        before: dict[str, Figures] = {}
        for name, contender in case.contenders.items():
            if name in result.absent:
                continue
            try:
                figures = contender(Turn(scale, before))
            except (Failed, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
                result.absent[name] = str(error) or type(error).__name__
                tell(f"{case.name}, round {number}, {name}: {result.absent[name]}")
                continue
            before[name] = figures
            result.runs.setdefault(name, []).append(figures)
            if trouble := case.checks(name, figures):
                result.wrong.append(f"round {number}, {trouble}")
            tell(_progress(case, number, name, figures))
        if OURS in result.absent:
            break
    return result


def _progress(case: Case, number: int, name: str, figures: Figures) -> str:
    shown = [
        f"{line.title} {figures[line.figure]:,.4g} {line.unit}".strip()
        for line in case.lines
        if line.figure in figures
    ]
    return f"{case.name}, round {number}, {name}: {', '.join(shown)}"
