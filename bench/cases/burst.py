"""A wave of browsers after a deploy: each gets its first event soon, and those already connected notice
little.
"""

from __future__ import annotations

import time
from typing import Final

from bench import load, streams
from bench.load import WARM_S, Browsers
from bench.model import OURS, Bar, Case, Figures, Line, Turn

_NEW: Final = 5_000
_THERE: Final = 1_000
_HZ: Final = 2.0
_ROWS: Final = 50
_BURST_S: Final = 2.0
_FIRST_WITHIN_S: Final = 4.0


def _burst(turn: Turn) -> Figures:
    new, path = turn.scale.of(_NEW), "/stream/0"
    there = Browsers(turn.scale.of(_THERE), path, _FIRST_WITHIN_S + 1)
    wave = Browsers(new, path, 0.5, warm_s=0, connects_per_s=round(new / _BURST_S))
    with streams.ours(_HZ, rows=_ROWS) as server, load.browsing(server.port, there) as others:
        others.reached("connected")
        time.sleep(WARM_S)
        with load.browsing(server.port, wave) as arriving:
            arrived, waiting = arriving.figures(), others.figures()
    return {
        "all_first_s": arrived["all_first_s"],
        "without_first": new - arrived["first_events"],
        "others_p99_ms": waiting["p99_ms"],
        **{name: arrived[name] + waiting[name] for name in ("torn", "out_of_order", "bad_status")},
    }


def _checks(name: str, figures: Figures) -> str:
    if figures["without_first"]:
        return f"{figures['without_first']:.0f} browsers never had their first event"
    return load.wrong_with(name, figures)


CASES: Final = (
    Case(
        "burst",
        "5,000 browsers connect in 2 s, first event of 50 rows",
        {OURS: _burst},
        (
            Line("until the last has its first event", "all_first_s", "s", (Bar(_FIRST_WITHIN_S),)),
            Line("age of an event at 1,000 others, p99", "others_p99_ms", "ms", (Bar(250),)),
        ),
        _checks,
    ),
)
