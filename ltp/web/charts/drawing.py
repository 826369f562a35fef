"""A candle chart as SVG, crisp at any width: shapes are stretched to it, and texts keep their size.

Candles, volumes and lines lie in pictures without proportions (`preserveAspectRatio="none"`), `_UNIT` wide a
bar; their strokes are not scaled. Texts and straight lines lie around these, at a share of the width. Prices
are in a picture of their own, which stays in sight where the chart is scrolled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import repeat
from typing import Final, NamedTuple

from ltp.core.bars.bar import MARKS, Bar
from ltp.core.chart.geometry import Candle, Scale, candle, round_prices
from ltp.core.money import SCALE, Price, grouped_text
from ltp.core.trading_day import date_of
from ltp.web.charts.bar_text import short_volume
from ltp.web.charts.overlay_shapes import with_overlays
from ltp.web.charts.overlays import Overlay
from ltp.web.charts.plan_lines import NO_PLAN, Label, PlanLines, labels, rules, zone_shape
from ltp.web.charts.time_axis import TimeAxis

_AXIS_WIDTH: Final = 92
_UNIT: Final = 10  # width of a bar; its candle leaves 2 on both sides
TOP: Final = 8
_PRICES: Final = 280  # heights
_GAP: Final = 10
_VOLUMES: Final = 64
_MARKS: Final = 13  # one row
_TIMES: Final = 22
_GRID: Final = 9  # price lines at most
_MARGIN: Final = 0.05  # of the range of prices, above and below the candles
_LINE_OUTSIDE: Final = 0.25  # of that range: how far an overlay may widen it
_TEXT: Final = 15  # height of a text on the axis: nearer ones would overlap
_WIDTHS: Final = ((80, 1), (170, 2), (400, 3))  # up to so many bars: the class of the least width


class Frame(NamedTuple):
    """Heights from the top: end of the prices, volumes from and to, begin of the rows of marks, all."""

    prices_end: int
    volumes: tuple[int, int]
    marks: int
    height: int

    @property
    def plot_end(self) -> int:
        """The height at which the times begin."""
        return self.height - _TIMES


class Canvas(NamedTuple):
    """The scales of a drawing, for a candle that is drawn over it in its last place.

    `places`: of bars, side by side. `daily`: of days or longer.
    """

    scale: Scale
    frame: Frame
    places: int
    most_volume: int
    daily: bool
    currency: bool

    @property
    def width(self) -> int:
        return self.places * _UNIT


class Drawing(NamedTuple):
    """`plot`, `axis`: SVG. `width_class`: of the plot, for the style of its least width."""

    plot: str
    axis: str
    width_class: str
    canvas: Canvas


def draw(
    bars: Sequence[Bar],
    days: Sequence[date],
    tooltips: Sequence[str],
    overlays: Sequence[Overlay],
    words: str,
    *,
    daily: bool = False,
    currency: bool = False,
    logarithmic: bool = False,
    missing: str = "",
    plan: PlanLines = NO_PLAN,
    forming: Bar | None = None,
    apart: Sequence[bool] = (),
) -> Drawing:
    """Draw bars, at least one or the one that is forming.

    Args:
        tooltips: one a bar.
        words: the description for screen readers.
        missing: the tooltip of an empty place after the last bar, "" for none.
        forming: a bar that gets its own layer; here it has a place and room in the scales.
        apart: whether each bar has a dashed candle, as those of auctions; () for none.
    """
    every = [*bars, forming] if forming else bars
    places, most_volume = len(bars) + bool(missing or forming), max(bar.volume for bar in every)
    marks = [(bit, name) for bit, name in MARKS.items() if any(bar.marks & bit for bar in bars)]
    frame = _frame(most_volume > 0, len(marks))
    scale = _scale(every, overlays, plan, frame.prices_end, logarithmic=logarithmic)
    canvas = Canvas(scale, frame, places, most_volume, daily, currency)
    grid = round_prices(scale, _GRID)
    candles = [candle(scale, *bar[1:5]) for bar in bars]
    shapes = with_overlays(candles_of(candles, apart), overlays, days, scale, _UNIT)
    below = volumes_of(bars, candles, canvas) + _marks(bars, marks, frame)
    plot = (
        f'<svg width="100%" height="{frame.height}" role="img" aria-label="{words}">',
        "".join(rule(scale.y(price)) for price in grid),
        TimeAxis(every, days or [date_of(every[0].start)], places, daily=daily).markup(frame.height),
        "" if forming else rule(scale.y(bars[-1].close), "last"),
        stretched(TOP, frame.prices_end, canvas, zone_shape(plan, scale, canvas.width) + shapes),
        rules(plan, days, places, scale, frame.prices_end),
        stretched(frame.prices_end, frame.plot_end, canvas, below),
        stretched(TOP, frame.plot_end, canvas, columns(tooltips, frame) + _missing(missing, len(bars))),
        "</svg>",
    )
    level = next((level for most, level in _WIDTHS if places <= most), len(_WIDTHS) + 1)
    named = labels(plan, every[-1].close, scale, (TOP + _TEXT, frame.prices_end - _TEXT), currency=currency)
    if forming:  # its layer has the last price
        named = [label for label in named if label.kind != "last"]
    return Drawing("".join(plot), _axis(grid, canvas, named, marks), f"w{level}", canvas)


def _frame(has_volume: bool, marks: int) -> Frame:
    end = TOP + _PRICES
    volumes = (end + _GAP, end + _GAP + _VOLUMES) if has_volume else (end, end)
    below = volumes[1] + (_GAP if marks else 2)
    return Frame(end, volumes, below, below + marks * _MARKS + _TIMES)


def _scale(
    bars: Sequence[Bar], overlays: Sequence[Overlay], plan: PlanLines, end: int, *, logarithmic: bool
) -> Scale:
    """Return the scale of the candles and the plan, widened for overlays as far as these are near."""
    lowest = min([*(bar.low for bar in bars), *plan.prices])
    highest = max([*(bar.high for bar in bars), *plan.prices])
    range_ = highest - lowest or SCALE
    values = [value for line in overlays for value in line.values if value is not None]
    low = max(min([lowest, *values]), lowest - range_ * _LINE_OUTSIDE) - range_ * _MARGIN
    high = min(max([highest, *values]), highest + range_ * _LINE_OUTSIDE) + range_ * _MARGIN
    return Scale(max(low, lowest / 2), high, TOP, end, logarithmic=logarithmic)


def rule(y: float, kind: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<line{chosen} x1="0" x2="100%" y1="{round(y)}.5" y2="{round(y)}.5"/>'


def stretched(top: int, bottom: int, canvas: Canvas, shapes: str) -> str:
    return (
        f'<svg y="{top}" width="100%" height="{bottom - top}" viewBox="0 {top} {canvas.width} {bottom - top}"'
        f' preserveAspectRatio="none">{shapes}</svg>'
    )


def candles_of(candles: Sequence[Candle], apart: Sequence[bool] = (), first: int = 0) -> str:
    """Return the shapes of candles from the place `first` on."""
    kinds = [
        ("rose" if each.rose else "fell") + " apart" * dashed
        for each, dashed in zip(candles, apart or repeat(False), strict=False)
    ]
    return "".join(
        f'<path class="{kind}" d="{shapes}"/>'
        for kind in ("rose", "fell", "rose apart", "fell apart")
        if (
            shapes := "".join(
                _candle(at + first, each) for at, each in enumerate(candles) if kinds[at] == kind
            )
        )
    )


def _candle(at: int, each: Candle) -> str:
    x = at * _UNIT
    high, top, bottom, low, _ = each
    wicks = (f"M{x + 5} {high}V{top}" if high < top else "") + (
        f"M{x + 5} {bottom}V{low}" if bottom < low else ""
    )
    return f"{wicks}M{x + 2} {top}h6v{bottom - top}h-6z"


def volumes_of(bars: Sequence[Bar], candles: Sequence[Candle], canvas: Canvas, first: int = 0) -> str:
    """Return the shapes of volumes from the place `first` on."""
    top, bottom = canvas.frame.volumes
    if top == bottom:
        return ""
    scale = Scale(0, canvas.most_volume, top, bottom)
    tops = [round(scale.y(bar.volume)) for bar in bars]
    return "".join(
        f'<path class="{kind} volume" d="{shapes}"/>'
        for kind, rose in (("rose", True), ("fell", False))
        if (
            shapes := "".join(
                f"M{at * _UNIT + 2} {bottom}V{y}h6V{bottom}"
                for at, (y, each) in enumerate(zip(tops, candles, strict=True), first)
                if each.rose is rose and y < bottom
            )
        )
    )


def _marks(bars: Sequence[Bar], marks: Sequence[tuple[int, str]], frame: Frame) -> str:
    return "".join(
        f'<path class="mark" d="{shapes}"/>'
        for row, (bit, _) in enumerate(marks)
        if (
            shapes := "".join(
                f"M{at * _UNIT + 1} {frame.marks + row * _MARKS + 2}h8v7h-8z"
                for at, bar in enumerate(bars)
                if bar.marks & bit
            )
        )
    )


def columns(tooltips: Sequence[str], frame: Frame, first: int = 0) -> str:
    """Return a column a bar, as high as the chart, so that the pointer need not hit a thin candle."""
    height = frame.plot_end - TOP
    shapes = "".join(
        f'<path d="M{at * _UNIT} {TOP}h{_UNIT}v{height}h-{_UNIT}z"><title>{text}</title></path>'
        for at, text in enumerate(tooltips, first)
    )
    return f'<g class="columns">{shapes}</g>'


def _missing(tooltip: str, place: int) -> str:
    if not tooltip:
        return ""
    shape = f"M{place * _UNIT + 1} {TOP}h8v{_PRICES}h-8z"
    return f'<path class="missing" d="{shape}"><title>{tooltip}</title></path>'


def _axis(
    grid: Sequence[Price], canvas: Canvas, named: Sequence[Label], marks: Sequence[tuple[int, str]]
) -> str:
    """Return the prices beside the grid lines, the named ones, and the names of the other rows."""
    scale, frame = canvas.scale, canvas.frame
    whole = all(price % SCALE == 0 for price in grid)
    texts = [
        text(round(scale.y(price)) + 4, _price(price, whole=whole, currency=canvas.currency))
        for price in grid
        if not any(label.hides(scale.y(price)) for label in named)
    ]
    texts += [label.markup for label in named]
    top, bottom = frame.volumes
    if top < bottom:
        texts.append(text(top + 8, short_volume(canvas.most_volume)))
        texts.append(text(bottom, "volume"))
    texts += [text(frame.marks + row * _MARKS + 10, name, "mark") for row, (_, name) in enumerate(marks)]
    return price_column(frame, "".join(texts))


def price_column(frame: Frame, content: str) -> str:
    """Return a picture as wide as the price axis and as high as the chart."""
    return f'<svg width="{_AXIS_WIDTH}" height="{frame.height}" aria-hidden="true">{content}</svg>'


def text(y: int, content: str, kind: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text{chosen} x="6" y="{y}">{content}</text>'


def _price(price: Price, *, whole: bool, currency: bool) -> str:
    text = grouped_text(price, currency=currency)
    return text.partition(".")[0] if whole else text
