"""One page, thousands of browsers: the server's cost of one delivered event."""

from __future__ import annotations

from typing import Final

from bench import load, streams
from bench.model import FLOOR, OURS, Bar, Case, Contender, Line
from bench.peers import streams as peers

_LINES: Final = (
    Line("CPU per delivered event", "cpu_us", "us", (Bar(1.2, FLOOR), Bar(1, "nchan", below=True))),
    Line("age of an event, p99", "p99_ms", "ms"),
)


def _contenders(count: int, hz: float) -> dict[str, Contender]:
    return {
        OURS: streams.our_figures(count, hz),
        FLOOR: streams.floor_figures(count, hz),
        "nchan": streams.nchan_figures(count, hz),
    }


# Both exceed one core long before 2,000 browsers: at 10,000 there would be nothing to measure.
_SLOWER: Final[dict[str, Contender]] = {
    "Starlette": streams.peer_figures(peers.starlette, 2_000, 10, connects_per_s=1_000),
    "flask-sse": streams.peer_figures(peers.flask_sse, 2_000, 10, connects_per_s=1_000),
}

CASES: Final = (
    Case(
        "fan-out-2k",
        "fan-out: 2,000 browsers, 10 events/s",
        {**_contenders(2_000, 10), **_SLOWER},
        _LINES,
        load.wrong_with,
    ),
    Case(
        "fan-out-10k",
        "fan-out: 10,000 browsers, 5 events/s",
        _contenders(10_000, 5),
        _LINES,
        load.wrong_with,
        repeats=True,
    ),
)
