"""From a message of the worker to the board of a web process: without open pages, and with pages that show
every instrument.
"""

from __future__ import annotations

import time
from typing import Final

from bench import load, machine, stage
from bench.load import Browsers
from bench.model import OURS, Bar, Case, Figures, Line, Turn
from bench.servers import Server
from bench.stage import Stage

_INSTRUMENTS: Final = 5_000
_TICKS: Final = 400
_HZ: Final = 50.0
_ROWS: Final = 50
_PAGE: Final = f"/screeners/swing/stream?size={_ROWS}&columns=ltp&page=%d"
# The longest there is: events are another case's, so one browser a page is sent few.
_RARELY: Final = {"STREAM_MIN_INTERVAL_MS": "10000"}
_AROUND_S: Final = 8  # starting the ticks, and time to settle


def _unseen(turn: Turn) -> Figures:
    with stage.ready(_INSTRUMENTS) as ready, stage.web(ready) as web:
        return _cpu_us(ready, web, turn)


def _shown(turn: Turn) -> Figures:
    pages = _INSTRUMENTS // _ROWS
    browsers = Browsers(pages, _PAGE, 2 * turn.scale.seconds + _AROUND_S, pages=pages)
    with (
        stage.ready(_INSTRUMENTS, **_RARELY) as ready,
        stage.web(ready) as web,
        load.browsing(web.port, browsers) as running,
    ):
        running.reached("connected")
        return _cpu_us(ready, web, turn)


def _cpu_us(ready: Stage, web: Server, turn: Turn) -> Figures:
    """CPU time without any tick, of timers and browsers, does not count."""
    ticks = turn.scale.of(_TICKS)
    time.sleep(1)
    idle = _cores(web, turn.scale.seconds)
    with stage.prices(ready, _INSTRUMENTS, ticks, _HZ):
        time.sleep(1)
        busy = _cores(web, turn.scale.seconds)
    return {"cpu_us": max(0.0, busy - idle) * 1e6 / (ticks * _HZ), "idle_ms": idle * 1e3}


def _cores(web: Server, seconds: float) -> float:
    began, began_s = machine.cpu_s(web.pids), time.monotonic()
    time.sleep(seconds)
    return (machine.cpu_s(web.pids) - began) / (time.monotonic() - began_s)


CASES: Final = (
    Case(
        "relay",
        "relay: 20,000 ticks/s in 50 messages",
        {OURS: _unseen},
        (
            Line("CPU of a web process per tick, more than without", "cpu_us", "us", (Bar(2),)),
            Line("CPU of a web process without ticks, per second", "idle_ms", "ms"),
        ),
    ),
    Case(
        "relay-shown",
        "relay: the same, pages show every instrument",
        {OURS: _shown},
        (Line("CPU of a web process per tick, more than without", "cpu_us", "us", (Bar(3.5, wish=True),)),),
    ),
)
