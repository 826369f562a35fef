"""Alerts: what their rules add to a tick on the feed's thread."""

from __future__ import annotations

from typing import Final

from bench.cases.bars import official_take, printed
from bench.cases.ingest import OFFICIAL
from bench.model import OURS, Bar, Case, Figures, Line, Turn


def _run(turn: Turn) -> Figures:
    return printed(turn, "bench.processes.alerts", 120)


def _official(turn: Turn) -> Figures:
    of_tick = official_take(turn)["take_us"]
    return {"level_us": of_tick, "general_us": of_tick, "one_us": of_tick}


def _checks(name: str, figures: Figures) -> str:
    return f"only {figures['hits']:.0f} rules fired" if name == OURS and figures["hits"] < 1 else ""


CASES: Final = (
    Case(
        "alerts",
        "alerts: 10,000 rules on 5,000 instruments, 20,000 ticks/s",
        {OURS: _run, OFFICIAL: _official},
        (
            Line("CPU of a tick, rules of one level", "level_us", "us", (Bar(0.1, OFFICIAL),)),
            Line("CPU of a tick, rules of several parts", "general_us", "us", (Bar(0.1, OFFICIAL),)),
            Line("CPU of a tick, 1,000 rules on one instrument", "one_us", "us", (Bar(0.1, OFFICIAL),)),
        ),
        _checks,
    ),
)
