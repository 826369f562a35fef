"""A session of one-minute bars of one instrument, read from SQL and drawn."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from bench import machine
from bench.model import FLOOR, OURS, Bar, Case, Contender, Figures, Line, Turn
from bench.servers import ROOT


def _drawn_by(which: str) -> Contender:
    def measure(turn: Turn) -> Figures:
        command = machine.pinned(
            [sys.executable, "-m", "bench.chart", turn.scale.seconds], machine.SERVER_CORE
        )
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
        found = json.loads(done.stdout)
        return {"cpu_ms": found[which]} | ({"move_us": found["move_us"]} if which == OURS else {})

    return measure


CASES: Final = (
    Case(
        "chart",
        "chart: 375 one-minute bars read and drawn, with their table",
        {OURS: _drawn_by("ours"), FLOOR: _drawn_by("floor")},
        (
            Line("CPU of a chart", "cpu_ms", "ms", (Bar(20),)),
            Line("CPU of a move of its forming candle, once for all readers", "move_us", "us", (Bar(1_000),)),
        ),
    ),
)
