"""Two hundred different bookmarks: the work per page is shared by few browsers, and all of it may not come at
once.
"""

from __future__ import annotations

from typing import Final

from bench import load, streams
from bench.model import FLOOR, OURS, Bar, Case, Line

_VIEWS: Final = 200
_HZ: Final = 5.0
_ROWS: Final = 50
_INSTRUMENTS: Final = "500"  # each moves twice a second, so an event carries about twenty


def _case(count: int, times_floor: float) -> Case:
    lines = (
        Line("CPU per delivered event", "cpu_us", "us", (Bar(times_floor, FLOOR),)),
        Line("age of an event, p99", "p99_ms", "ms", (Bar(25),)),
    )
    contenders = {
        OURS: streams.our_figures(count, _HZ, rows=_ROWS, views=_VIEWS, INSTRUMENTS=_INSTRUMENTS),
        FLOOR: streams.floor_figures(count, _HZ),
        "floor, page by page": streams.floor_figures(count, _HZ, pages=_VIEWS),
    }
    title = f"many views: {_VIEWS} bookmarks, {count:,} browsers, 5 events/s"
    return Case(f"views-{count // 1000}k", title, contenders, lines, load.wrong_with, repeats=count < 10_000)


CASES: Final = (_case(10_000, 1.25), _case(2_000, 2.0))
