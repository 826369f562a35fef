"""From a message of the worker to the board of a web process that nobody looks at."""

from __future__ import annotations

import time
from typing import Final

from bench import machine, stage
from bench.model import OURS, Bar, Case, Figures, Line, Turn

_INSTRUMENTS: Final = 5_000
_TICKS: Final = 400
_HZ: Final = 50.0


def _relay(turn: Turn) -> Figures:
    ticks = turn.scale.of(_TICKS)
    with stage.ready(_INSTRUMENTS) as ready, stage.prices(ready, _INSTRUMENTS, ticks, _HZ), stage.web(ready) as web:
        time.sleep(1)
        began, began_s = machine.cpu_s(web.pids), time.monotonic()
        time.sleep(turn.scale.seconds)
        spent = machine.cpu_s(web.pids) - began
        return {"cpu_us": spent * 1e6 / ((time.monotonic() - began_s) * ticks * _HZ)}


CASES: Final = (
    Case(
        "relay",
        "relay: 20,000 ticks/s in 50 messages",
        {OURS: _relay},
        (Line("CPU of a web process per tick", "cpu_us", "us", (Bar(2),)),),
    ),
)
