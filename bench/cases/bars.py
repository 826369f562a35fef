"""One-minute bars: the cost of a tick on the feed's thread, and of the end of a minute."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from bench import machine
from bench.cases.ingest import OFFICIAL, official
from bench.model import OURS, Bar, Case, Figures, Line, Turn
from bench.servers import ROOT


def _run(turn: Turn) -> Figures:
    command = machine.pinned([sys.executable, "-m", "bench.bars", turn.scale.seconds], machine.SERVER_CORE)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _official(turn: Turn) -> Figures:
    return {"take_us": official(turn)["cpu_us"]}


def _checks(name: str, figures: Figures) -> str:
    if name == OURS and figures["bars"] < 1_000:
        return f"only {figures['bars']:.0f} bars were stored"
    return ""


DUCKDB: Final = "rows in DuckDB"


def _year(turn: Turn) -> Figures:
    command = machine.pinned(
        [sys.executable, "-m", "bench.longer_bars", turn.scale.seconds], machine.SERVER_CORE
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=300)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _year_of_ours(turn: Turn) -> Figures:
    found = _year(turn)
    return {
        "cpu_ms": found["columns"],
        "rows_ms": found["rows"],
        "hot_mb": found["hot_mb"],
        "mb": found["packed_mb"],
    }


def _year_of_rows(turn: Turn) -> Figures:
    found = _year(turn)
    return {
        "cpu_ms": found["duckdb"],
        "rows_ms": found["duckdb"],
        "hot_mb": found["duckdb_mb"],
        "mb": found["duckdb_mb"],
    }


CASES: Final = (
    Case(
        "bars",
        "one-minute bars: 5,000 instruments, 20,000 ticks/s",
        {OURS: _run, OFFICIAL: _official},
        (
            Line("CPU of a tick, on top of ingest", "take_us", "us", (Bar(0.15, OFFICIAL),)),
            Line("CPU of the end of a minute, stored in SQLite", "minute_s", "s", (Bar(1),)),
        ),
        _checks,
    ),
    Case(
        "bars-year",
        "a year of five-minute bars of one instrument by the API",
        {OURS: _year_of_ours, DUCKDB: _year_of_rows},
        (
            Line("CPU, as columns", "cpu_ms", "ms", (Bar(100),)),
            Line("CPU, as rows", "rows_ms", "ms", (Bar(100),)),
            Line("disk for a million one-minute bars while their session is on", "hot_mb", "MB"),
            Line("disk for a million one-minute bars afterwards", "mb", "MB", (Bar(1, DUCKDB),)),
        ),
    ),
)
