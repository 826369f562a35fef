"""The candle that is not over yet, as a layer over the drawing of those that are: it moves several times a second,
and they stay as they are.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from markupsafe import Markup

from ltp.core.bars.bar import Bar
from ltp.core.chart.geometry import candle
from ltp.core.history.candle import day_of
from ltp.core.money import grouped_text
from ltp.core.trading_day import days_since_1970
from ltp.web.charts.bar_text import texts
from ltp.web.charts.drawing import (
    TOP,
    Canvas,
    candles_of,
    columns,
    price_column,
    rule,
    stretched,
    text,
    volumes_of,
)

SLOTS: Final = {"plot": "chart-forming", "label": "chart-last", "sentence": "chart-now"}  # element ids


class FormingCandle(NamedTuple):
    """`plot`: over the chart. `label`: the price beside it. `sentence`: the values in words."""

    plot: Markup = Markup()
    label: Markup = Markup()
    sentence: str = ""

    @property
    def markup(self) -> str:
        """The update of an open page."""
        return "".join(
            f'<hx-partial id="{id_}">{getattr(self, name)}</hx-partial>' for name, id_ in SLOTS.items()
        )


NO_CANDLE: Final = FormingCandle()


def fits(bar: Bar, canvas: Canvas) -> bool:
    """Return whether a bar can be drawn in the scale of a chart."""
    scale = canvas.scale
    return scale.lowest <= bar.low and bar.high <= scale.highest and bar.volume <= canvas.most_volume


def draw(bar: Bar, canvas: Canvas, state: str) -> FormingCandle:
    """Draw the bar in the place after the last one that is over. `state`: the first words of its sentence."""
    scale, frame = canvas.scale, canvas.frame
    said = texts([bar], [_day(bar)], daily=canvas.daily, currency=canvas.currency)[0]
    shape = [candle(scale, *bar[1:5])]
    place = canvas.places - 1
    y = round(scale.y(bar.close))
    plot = (
        f'<svg width="100%" height="{frame.height}" aria-hidden="true">',
        rule(y, "last"),
        stretched(TOP, frame.prices_end, canvas, candles_of(shape, first=place)),
        stretched(frame.prices_end, frame.plot_end, canvas, volumes_of([bar], shape, canvas, first=place)),
        stretched(TOP, frame.plot_end, canvas, columns([f"{said.tooltip}\n{state.lower()}"], frame, place)),
        "</svg>",
    )
    price = grouped_text(bar.close, currency=canvas.currency)
    label = price_column(frame, f'<rect y="{y - 8}" width="100%" height="16"/>{text(y + 4, price, "last")}')
    marks = f" ({said.marks})" if said.marks else ""
    sentence = (
        f"{state}: {said.when}{marks}, open {said.open}, high {said.high}, low {said.low}, close {said.close},"
        f" volume {said.volume}"
    )
    # Only numbers, dates and fixed words are in this markup.
    return FormingCandle(Markup("".join(plot)), Markup(label), sentence)  # noqa: S704


def _day(bar: Bar) -> date:
    return day_of(days_since_1970(bar.start))
