"""Is the harness right? Few browsers, one round, every contender: nothing may be lost, torn or out of order.
No times.

A machine that is busy with something else can be too slow for a short turn: a case that was not measured
whole is given longer ones, so that only a missing event is a fault. An event that no browser may see is a
fault at once.

A peer that is not installed on this machine is left out, with a line about it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

from bench.load import wrong_with
from bench.model import OURS, Case, Figures, Scale
from bench.rounds import Result, measure

_SCALES: Final = tuple(
    Scale(seconds, size=0.02, patience=patience)
    for seconds, patience in ((0.8, 0.1), (4.0, 0.5), (12.0, 1.0))
)
_ABSENT: Final = "not installed"


def run(cases: Iterable[Case]) -> int:
    """Run the cases small; print the faults. Returns the exit status."""
    wrong = [trouble for case in cases if not case.repeats for trouble in _small(case)]
    for trouble in wrong:
        print(f"WRONG: {trouble}")
    print(
        "bench-smoke: "
        + (
            "the harness is not right"
            if wrong
            else "every case is measured, no event lost, torn or out of order"
        )
    )
    return 1 if wrong else 0


def _small(case: Case) -> list[str]:
    """Return the fault of a case after the longest turn it needed."""
    trouble: list[str] = []
    for scale in _SCALES:
        result = measure(case, 1, scale, _tell)
        trouble = _trouble(result)
        if not trouble or any(wrong_with(who, run) for who, runs in result.runs.items() for run in runs):
            break
    return trouble


def _trouble(result: Result) -> list[str]:
    name = result.case.name
    found = [f"{name}: {what}" for what in result.wrong]
    found += [f"{name}, {who}: {why}" for who, why in result.absent.items() if _ABSENT not in why]
    found += [
        f"{name}, {who}: {what}"
        for who, runs in result.runs.items()
        for run in runs
        for what in _missing(who, run)
    ]
    shown = {line.figure for line in result.case.lines}
    had = {figure for run in result.runs.get(OURS, []) for figure in run}
    return found + [f"{name}: nothing measures {figure}" for figure in sorted(shown - had)]


def _missing(name: str, figures: Figures) -> list[str]:
    """Return the events that a contender did not deliver. A state is not a log, so only ours, and only
    unhurried, must show every event.
    """
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
