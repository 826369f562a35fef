"""Screens: from candles in SQL to stored results, on one core. The profile has the cost of each step."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench import machine, screen_market
from bench.model import OURS, Bar, Case, Figures, Line, Turn
from bench.servers import ROOT, Failed

_SHARES: Final = 2_500
_SESSIONS: Final = 500
_WITHIN_S: Final = 120


def _run(turn: Turn) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        address = screen_market.write(Path(folder) / "screens.sqlite3", turn.scale.of(_SHARES), _SESSIONS)
        command = machine.pinned([sys.executable, "-m", "bench.screen_run", address], machine.SERVER_CORE)
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
    if done.returncode:
        raise Failed(done.stderr.strip().splitlines()[-1])
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


CASES: Final = (
    Case(
        "evaluation",
        "screens: 2,500 shares, 500 sessions",
        {OURS: _run},
        (
            Line("swing and long-term, from SQL to stored results", "both_s", "s", (Bar(5),)),
            Line("of which reading candles into arrays", "read_s", "s"),
            Line("of which indicators and facts", "facts_s", "s"),
            Line("of which criteria, setups and plans", "judge_s", "s"),
            Line("of which storing 5,000 rows", "store_s", "s"),
            Line("a custom screen of four criteria", "custom_s", "s"),
        ),
    ),
)
