"""The whole product: from a tick on the feed's socket to the bytes at a browser."""

from __future__ import annotations

from typing import Final

from bench import load, machine, stage
from bench.load import Browsers
from bench.model import FLOOR, OURS, Bar, Case, Figures, Line, Turn
from bench.peers import streams as peers
from bench.servers import Failed

_INSTRUMENTS: Final = 2_000
_TICKS_PER_S: Final = 5_000
_BROWSERS: Final = 1_000
_ROWS: Final = 50
_INTERVAL_MS: Final = 20
_PAGE: Final = "/screeners/swing/stream?size=50&columns=ltp,volume&page=%d"


def _whole_path(turn: Turn) -> Figures:
    scale = turn.scale
    pages = scale.of(_INSTRUMENTS) // _ROWS or 1
    settings = {"STREAM_MIN_INTERVAL_MS": str(_INTERVAL_MS)}
    with (
        stage.ready(pages * _ROWS, **settings) as ready,
        stage.exchange(ready.folder, _TICKS_PER_S * scale.size) as feed,
        stage.worker(ready, feed, core=machine.LOAD_CORE),
        stage.web(ready) as web,
    ):
        since_ms = feed.state()["since_ms"]
        browsers = Browsers(
            scale.of(_BROWSERS), _PAGE, scale.seconds, warm_s=2, pages=pages, cells_since_ms=since_ms
        )
        figures = load.cpu_per_event(web, browsers)
    if not figures["cells"]:
        raise Failed("no price arrived")
    return figures | {"hz": figures["events_per_s"] / browsers.count}


def _floor(turn: Turn) -> Figures:
    if OURS not in turn.before:
        raise Failed("its rate and size are ours, which has none")
    ours = turn.before[OURS]
    with peers.limit(max(1.0, ours["hz"]), round(ours["event_bytes"])) as server:
        return load.cpu_per_event(server, Browsers(turn.scale.of(_BROWSERS), "/", turn.scale.seconds))


CASES: Final = (
    Case(
        "end-to-end",
        "end to end: 5,000 ticks/s, 1,000 browsers of 50 rows, 20 ms",
        {OURS: _whole_path, FLOOR: _floor},
        (
            Line("age of an event, p50", "p50_ms", "ms", (Bar(2, FLOOR),)),
            Line("age of an event, p99", "p99_ms", "ms", (Bar(3, FLOOR),)),
            Line("age of a tick when shown, p99", "cell_p99_ms", "ms"),
            Line("age of the oldest tick shown", "cell_max_ms", "ms", (Bar(_INTERVAL_MS + 50),)),
            Line("events a second and browser", "hz", "1/s"),
            Line("CPU per delivered event", "cpu_us", "us"),
        ),
        load.wrong_with,
    ),
)
