"""A tenth of the browsers read nothing: the effect on the others, and their end."""

from __future__ import annotations

import time
from typing import Final

from bench import load, machine, streams
from bench.load import Browsers
from bench.model import OURS, Bar, Case, Figures, Line, Turn
from bench.servers import Server

_COUNT: Final = 2_000
_STALLED: Final = 200
_HZ: Final = 10.0
_TIMEOUT_S: Final = 15.0  # the product's own
_CUT_WITHIN_S: Final = 20.0  # five of them for the kernel's buffers to fill
_LOOK_S: Final = 0.25
_ALL_READ: Final = "all read"


def _some_stalled(turn: Turn) -> Figures:
    return _measure(turn, turn.scale.of(_STALLED))


def _none_stalled(turn: Turn) -> Figures:
    return _measure(turn, 0)


def _measure(turn: Turn, stalled: int) -> Figures:
    """Both ways last as long and are watched alike: rare events need time, and sampling disturbs."""
    readers = turn.scale.of(_COUNT) - turn.scale.of(_STALLED)
    timeout_s = _TIMEOUT_S * turn.scale.patience
    within_s = timeout_s + _CUT_WITHIN_S - _TIMEOUT_S
    browsers = Browsers(readers + stalled, "/stream/0", within_s, warm_s=0.5, stalled=stalled)
    with (
        streams.ours(_HZ, STREAM_STALL_TIMEOUT_S=str(timeout_s)) as server,
        load.browsing(server.port, browsers) as running,
    ):
        running.reached("connected")
        cut = _watch(server, stalled, within_s)
        return {**running.figures(), **(cut if stalled else {})}


def _watch(server: Server, stalled: int, for_s: float) -> dict[str, float]:
    """Follow the stalled ones: the time until the last was cut, and the most kernel memory that each held."""
    connected, began, most, cut_after_s = machine.open_files(server.pids[0]), time.monotonic(), 0, 0.0
    while (waited := time.monotonic() - began) < for_s:
        most = max(most, machine.send_queues_bytes(server.port))
        if not cut_after_s and machine.open_files(server.pids[0]) <= connected - stalled:
            cut_after_s = waited
        time.sleep(_LOOK_S)
    left = max(0, machine.open_files(server.pids[0]) - connected + stalled)
    return {"cut_after_s": cut_after_s or waited, "not_cut": left, "kernel_kb": most / max(1, stalled) / 1024}


def _checks(name: str, figures: Figures) -> str:
    if figures.get("not_cut"):
        return f"{figures['not_cut']:.0f} stalled browsers were never cut"
    return load.wrong_with(name, figures)


CASES: Final = (
    Case(
        "stalled",
        "10% of 2,000 browsers never read",
        {_ALL_READ: _none_stalled, OURS: _some_stalled},
        (
            Line("age of an event at the others, p99", "p99_ms", "ms", (Bar(1.2, _ALL_READ),)),
            Line("kernel memory per stalled browser", "kernel_kb", "kB", (Bar(64),)),
            Line("until the last of them is cut", "cut_after_s", "s", (Bar(_CUT_WITHIN_S),)),
        ),
        _checks,
    ),
)
