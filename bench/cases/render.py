"""The three cells of an instrument with a moved price, as markup."""

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
            [sys.executable, "-m", "bench.drawing", turn.scale.seconds], machine.SERVER_CORE
        )
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
        return {"cpu_us": json.loads(done.stdout)[which]}

    return measure


CASES: Final = (
    Case(
        "render",
        "render: price, change and change % of an instrument",
        {OURS: _drawn_by("ours"), FLOOR: _drawn_by("floor")},
        (Line("CPU per instrument", "cpu_us", "us", (Bar(4),)),),
    ),
)
