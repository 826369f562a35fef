"""Memory of the web worker for each idle browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from bench import load, streams
from bench.load import Browsers
from bench.model import OURS, Bar, Case, Contender, Figures, Line, Turn
from bench.peers import streams as peers
from bench.servers import Server

_COUNT: Final = 10_000
_HZ: Final = 0.2  # a sign of life every five seconds, and nothing else
_BYTES: Final = 100
_SECONDS: Final = 0.5


def _resident(
    start: Callable[[], AbstractContextManager[Server]], path: str, connects_per_s: int = 4_000
) -> Contender:
    def measure(turn: Turn) -> Figures:
        with start() as server:
            browsers = Browsers(turn.scale.of(_COUNT), path, _SECONDS, connects_per_s=connects_per_s)
            return load.resident_per_browser(server, browsers)

    return measure


CASES: Final = (
    Case(
        "memory",
        "10,000 idle browsers",
        {
            OURS: _resident(lambda: streams.ours(_HZ), "/stream/0"),
            "nchan": _resident(lambda: peers.nchan(_HZ, _BYTES), "/stream"),
            # Any faster and half of them are refused.
            "Starlette": _resident(lambda: peers.starlette(_HZ, _BYTES), "/", connects_per_s=1_500),
        },
        (Line("resident memory per browser", "kb_per_browser", "kB", (Bar(1.5),)),),
        load.wrong_with,
    ),
)
