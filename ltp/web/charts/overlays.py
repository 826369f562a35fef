"""The lines over the candles of a chart: averages, VWAP, Bollinger bands and Supertrend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.bars.vwap import vwap
from ltp.core.chart import indicators
from ltp.core.history.price_history import ema
from ltp.core.trading_day import days_since_1970
from ltp.web.charts.query import ChartQuery

BOLLINGER: Final = (20, 2)  # bars, standard deviations
SUPERTREND: Final = (10, 3)  # bars, average true ranges
_WARM_UP: Final = 2  # lengths of an average: after these the plain average it started with counts for 2%
# After these the first range counts for 0.003% in Wilder's average, and nearly every band has turned once.
_SUPERTREND_WARM_UP: Final = 100


class Overlay(NamedTuple):
    """A line over the candles.

    `kind`: its CSS classes. `values`: one a bar, None where it has none. `by_session`: each session has a line
    of its own. `steps`: the line is level within a bar. `shaded_to`: values as far as which the chart is shaded.
    """

    kind: str
    name: str
    values: Sequence[float | None]
    by_session: bool = False
    steps: bool = False
    shaded_to: Sequence[float | None] = ()


def warm_up(query: ChartQuery) -> int:
    """Return how many bars before the first shown one the overlays need."""
    return max(
        _WARM_UP * max(query.averages, default=0),
        BOLLINGER[0] - 1 if query.bollinger else 0,
        _SUPERTREND_WARM_UP if query.supertrend else 0,
    )


def overlays(bars: Sequence[Bar], first: int, query: ChartQuery) -> list[Overlay]:
    """Return the lines that a chart of `bars[first:]` shows; the bars before are their warm-up."""
    closes = [bar.close for bar in bars]
    lines = [Overlay(f"ema{count}", f"EMA {count}", ema(closes, count)[first:]) for count in query.averages]
    if query.vwap:
        average = vwap(bars, lambda bar: days_since_1970(bar.start))
        lines.append(Overlay("vwap", "VWAP", average[first:], by_session=True))
    # Only as many bars as they need: of a chart of 800 bars there may be 7,500 before them.
    begin = max(0, first - warm_up(query))
    if query.bollinger:
        lines += _bollinger(closes[begin:], first - begin)
    if query.supertrend:
        lines += _supertrend(bars[begin:], first - begin)
    return lines


def _bollinger(closes: Sequence[int], first: int) -> list[Overlay]:
    upper, middle, lower = (each[first:] for each in indicators.bollinger(closes, *BOLLINGER))
    name = "Bollinger {}, {}".format(*BOLLINGER)
    return [
        Overlay("bollinger", f"{name}: upper", upper, shaded_to=lower),
        Overlay("bollinger middle", "average", middle),
        Overlay("bollinger", "lower", lower),
    ]


def _supertrend(bars: Sequence[Bar], first: int) -> list[Overlay]:
    highs, lows, closes = zip(*(bar[2:5] for bar in bars), strict=True)
    below, above = (each[first:] for each in indicators.supertrend(highs, lows, closes, *SUPERTREND))
    name = "Supertrend {}, {}".format(*SUPERTREND)
    return [
        Overlay("supertrend", f"{name}: below the price", below, steps=True),
        Overlay("supertrend above", "above the price", above, steps=True),
    ]
