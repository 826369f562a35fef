"""The last full run, as files: results.json with every median, docs/performance.md and docs/scaling.md made
from templates.

No figure in these pages is typed by hand; the templates explain them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any, Final

from bench import machine, scaling, table
from bench.rounds import Result

HERE: Final = Path(__file__).resolve().parent
RESULTS: Final = HERE / "results.json"
DOCS: Final = HERE.parent / "docs"


def write(results: Sequence[Result], *, rounds: int, seconds: float, minutes: float) -> None:
    lines, cases = table.entries(results), table.as_json(results)
    run: dict[str, Any] = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "command": f"python -m bench --rounds {rounds} --seconds {seconds:g}",
        "rounds": rounds,
        "minutes": round(minutes),
        "machine": machine.description(),
        "cases": cases,
    }
    RESULTS.write_text(json.dumps(run, indent=1) + "\n")
    (DOCS / "performance.md").write_text(_performance(run, lines))
    (DOCS / "scaling.md").write_text(scaling.page(cases))


def _performance(run: dict[str, Any], lines: Sequence[table.Entry]) -> str:
    missed = [
        f"- {entry.case}, {entry.figure}: {entry.ours}, the bar is {entry.bar}"
        for entry in lines
        if "NO" in entry.verdict
    ]
    values = {
        **run,
        **run["machine"],
        "table": table.markdown(lines),
        "missed": "\n".join(missed) or "None.",
    }
    return Template((HERE / "performance.md.in").read_text()).substitute(values)
