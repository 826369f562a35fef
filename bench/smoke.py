"""Is the harness right? Few browsers, one round, every contender: nothing may be lost, torn or out of order. No times.

A peer that is not installed on this machine is left out, and said so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from bench.model import OURS, Case, Figures, Scale
from bench.rounds import Result, measure

_SCALE: Final = Scale(seconds=0.8, size=0.02, patience=0.1)
_ABSENT: Final = "not installed"


def run(cases: Iterable[Case]) -> int:
    """Run the cases small; print what is wrong. Returns the exit status."""
    wrong = [trouble for case in cases if not case.repeats for trouble in _trouble(measure(case, 1, _SCALE, _tell))]
    for trouble in wrong:
        print(f"WRONG: {trouble}")
    print(
        "bench-smoke: " + ("the harness is not right" if wrong else "every case is measured, no event lost, torn or out of order")
    )
    return 1 if wrong else 0


def _trouble(result: Result) -> list[str]:
    name = result.case.name
    found = [f"{name}: {what}" for what in result.wrong]
    found += [f"{name}, {who}: {why}" for who, why in result.absent.items() if _ABSENT not in why]
    found += [f"{name}, {who}: {what}" for who, runs in result.runs.items() for run in runs for what in _missing(who, run)]
    shown = {line.figure for line in result.case.lines}
    had = {figure for run in result.runs.get(OURS, []) for figure in run}
    return found + [f"{name}: nothing measures {figure}" for figure in sorted(shown - had)]


def _missing(name: str, figures: Figures) -> list[str]:
    """Say what a contender did not deliver. A state is not a log, so only ours, and only unhurried, must show every event."""
    found = []
    if figures.get("live", 1) == 0:
        found.append("no browser was left at the end")
    if name == OURS and figures.get("lost"):
        found.append(f"{figures['lost']:.0f} events lost")
    if figures.get("failed") or figures.get("bad_status"):
        found.append(
            f"{figures.get('failed', 0):.0f} browsers could not connect, {figures.get('bad_status', 0):.0f} were refused"
        )
    return found


def _tell(text: str) -> None:
    print(text.partition(":")[0], file=sys.stderr, flush=True)
