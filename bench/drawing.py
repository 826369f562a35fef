"""The cost of drawing, in a process of its own: `python -m bench.drawing SECONDS` prints microseconds per
instrument as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Final

from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.cells import draw_function

_COLUMNS: Final = ("ltp", "chg", "chgp")
_CELL: Final = draw_function()
_QUOTES: Final = [
    Quote(
        f"NSE_EQ:{number}",
        Tick(
            f"NSE_EQ:{number}",
            price := 1_000_000 + number * 71_500,
            1_764_000_000,
            prev_close=price + (number % 41 - 20) * 3_500,
        ),
        "live",
        1 if number % 2 else -1,
        True,
    )
    for number in range(1, 1_000)
]


def draw_all() -> None:
    for quote in _QUOTES:
        for column in _COLUMNS:
            _CELL(quote, column)


def format_all() -> None:
    """The least there is: the same text from numbers that need no work, without grouping, states or cases."""
    for quote in _QUOTES:
        tick: Tick = quote.tick  # type: ignore[assignment]
        price, change = (tick.ltp or 0) / 10_000, ((tick.ltp or 0) - (tick.prev_close or 0)) / 10_000
        _ = (
            f'<b class="u">₹{price:.2f}</b> <i>live</i>',
            f'<b class="g">+{change:.2f}</b>',
            f'<b class="g">+{change / price:.2f}%</b>',
        )


def us_each(run: Callable[[], None], seconds: float) -> float:
    run()
    began, turns = time.process_time(), 0
    while time.process_time() - began < seconds:
        run()
        turns += 1
    return (time.process_time() - began) / turns / len(_QUOTES) * 1e6


if __name__ == "__main__":
    half = float(sys.argv[1]) / 2
    print(json.dumps({"ours": us_each(draw_all, half), "floor": us_each(format_all, half)}))
