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


def printed(turn: Turn, module: str, within_s: float) -> dict[str, float]:
    command = machine.pinned([sys.executable, "-m", module, turn.scale.seconds], machine.SERVER_CORE)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=within_s)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _run(turn: Turn) -> Figures:
    return printed(turn, "bench.bars", 120)


def official_take(turn: Turn) -> Figures:
    return {"take_us": official(turn)["cpu_us"]}


def _checks(name: str, figures: Figures) -> str:
    if name == OURS and figures["bars"] < 1_000:
        return f"only {figures['bars']:.0f} bars were stored"
    return ""


DUCKDB: Final = "rows in DuckDB"
_OF_ROWS: Final = ("duckdb", "duckdb_mb")


def _year_of_ours(turn: Turn) -> Figures:
    found = printed(turn, "bench.longer_bars", 300)
    ours = {"cpu_ms": found["columns"], "rows_ms": found["rows"]}
    # The process measures both; the lines name none of these two, and the peer takes them from here.
    return ours | {"hot_mb": found["hot_mb"], "mb": found["packed_mb"], **{n: found[n] for n in _OF_ROWS}}


def _year_of_rows(turn: Turn) -> Figures:
    milliseconds, megabytes = (turn.before[OURS][name] for name in _OF_ROWS)
    return {"cpu_ms": milliseconds, "rows_ms": milliseconds, "hot_mb": megabytes, "mb": megabytes}


CASES: Final = (
    Case(
        "bars",
        "one-minute bars: 5,000 instruments, 20,000 ticks/s",
        {OURS: _run, OFFICIAL: official_take},
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
