"""The lines over the candles of a chart: averages, VWAP, Bollinger bands and Supertrend."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Sequence
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.bars.vwap import vwap
from ltp.core.chart import indicators
from ltp.core.history.price_history import ema
from ltp.core.market import kinds
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


def over_continuous(bars: Sequence[Bar], each: Sequence[str], first: int, query: ChartQuery) -> list[Overlay]:
    """Return the overlays of the bars of the continuous session alone, as of `overlays`.

    Args:
        each: the kind of each bar.
    """
    places = [at for at, kind in enumerate(each) if kind == kinds.CONTINUOUS]
    if len(places) == len(bars):
        return overlays(bars, first, query)
    earlier = bisect_left(places, first)
    lines = overlays([bars[at] for at in places], earlier, query)
    days = [days_since_1970(bar.start) for bar in bars[first:]]
    return spread(lines, [at - first for at in places[earlier:]], days)


def spread(lines: Sequence[Overlay], places: Sequence[int], days: Sequence[int]) -> list[Overlay]:
    """Return lines whose values are at their places, and at the others the value before: within its session where a
    line has one line a session.

    Args:
        days: the day of each bar of the chart.
    """
    begins = frozenset(at for at in range(1, len(days)) if days[at] != days[at - 1])
    return [
        line._replace(
            values=_spread(line.values, places, len(days), begins if line.by_session else ()),
            shaded_to=_spread(line.shaded_to, places, len(days), ()) if line.shaded_to else (),
        )
        for line in lines
    ]


def _spread(
    values: Sequence[float | None], places: Sequence[int], count: int, begins: Container[int]
) -> list[float | None]:
    spread_values: list[float | None] = [None] * count
    for at, value in zip(places, values, strict=True):
        spread_values[at] = value
    taken = frozenset(places)
    for at in range(1, count):
        if at not in taken and at not in begins:
            spread_values[at] = spread_values[at - 1]
    return spread_values


def _bollinger(closes: Sequence[int], first: int) -> list[Overlay]:
    upper, middle, lower = (each[first:] for each in indicators.bollinger(closes, *BOLLINGER))
    name = "Bollinger {}, {}".format(*BOLLINGER)
    return [
        Overlay("bollinger", f"{name}: upper", upper, shaded_to=lower),
        Overlay("bollinger middle", "average", middle),
        Overlay("bollinger", "lower", lower),
    ]


def _supertrend(bars: Sequence[Bar], first: int) -> list[Overlay]:
    highs, lows, closes = [bar.high for bar in bars], [bar.low for bar in bars], [bar.close for bar in bars]
    below, above = (each[first:] for each in indicators.supertrend(highs, lows, closes, *SUPERTREND))
    name = "Supertrend {}, {}".format(*SUPERTREND)
    return [
        Overlay("supertrend", f"{name}: below the price", below, steps=True),
        Overlay("supertrend above", "above the price", above, steps=True),
    ]
