"""The live cells of a quote page that place the price, or an amount of today, beside figures of earlier days.

The figures are in the name of the column, behind an @: `yearrange@LOW-HIGH-CLOSE`, `relvol@AVERAGE`,
`oi@BEFORE`. So a cell depends on its quote alone, and is drawn once for all readers of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ltp.core.money import Price, group_indian, grouped_text, is_currency
from ltp.core.ticks.quote import Quote
from ltp.web.table.cells import DASH, Draw
from ltp.web.table.range_bars import day_ends, year_ends

DAY: Final = "dayrange"
YEAR: Final = "yearrange"
RELATIVE_VOLUME: Final = "relvol"
OPEN_INTEREST: Final = "oi"
_WIDTH: Final = 200  # of a bar in units of its drawing, which is stretched to the room on the page
_MIDDLE: Final = _WIDTH // 2


def year_column(low: Price, high: Price, close: Price) -> str:
    """Return the column of the range of 52 weeks; `close`: the newest one in it."""
    return f"{YEAR}@{low}-{high}-{close}"


def relative_volume_column(average: int) -> str:
    return f"{RELATIVE_VOLUME}@{average}"


def open_interest_column(before: int | None) -> str:
    """Return the column of the open interest. `before`: that of the previous session, None if unknown."""
    return OPEN_INTEREST if before is None else f"{OPEN_INTEREST}@{before}"


def with_ranges(planned: Callable[[str], Draw | None]) -> Callable[[str], Draw | None]:
    """Return the function that finds the draw function of a column of plans or of this module."""
    return lambda column: draw_function(column) or planned(column)


def draw_function(column: str) -> Draw | None:
    """Return the draw function of a column of this module, None for any other."""
    name, _, figures = column.partition("@")
    numbers = [int(part) for part in figures.split("-") if part.isascii() and part.isdigit()]
    make = _MAKE.get((name, len(numbers)))
    return None if make is None else make(*numbers)


def _day() -> Draw:
    def draw(quote: Quote) -> str:
        tick = quote.tick
        ends = None if tick is None else day_ends(tick)
        if tick is None or tick.ltp is None or ends is None:
            return DASH
        return _range(quote, tick.ltp, *ends, opened=tick.open)

    return draw


def _year(low: Price, high: Price, close: Price) -> Draw:
    def draw(quote: Quote) -> str:
        tick = quote.tick
        ends = None if tick is None else year_ends(tick, low, high, close)
        if tick is None or tick.ltp is None or ends is None:
            return DASH
        return _range(quote, tick.ltp, *ends)

    return draw


def _range(quote: Quote, ltp: Price, low: Price, high: Price, opened: Price | None = None) -> str:
    """Return low, bar and high, and the place of the price: 0% at the low, 100% at the high.

    The place is the price's own only while the price is live. Else its mark has class `was`, and the state is
    written beside it.
    """
    currency = is_currency(quote.key)
    if high > low:
        share = f"{(ltp - low) * 100 // (high - low)}%"
        at = round((ltp - low) * _WIDTH / (high - low))
        start = (
            _MIDDLE if opened is None else round((min(max(opened, low), high) - low) * _WIDTH / (high - low))
        )
    else:
        share, at, start = "one price", _MIDDLE, _MIDDLE
    live = quote.state == "live"
    first = "" if opened is None else f'<path class="open" d="M{start} 1v10"/>'
    mark = f'<path class="{"at" if live else "at was"}" d="M{at} 0v12"/>'
    words = share if live else f"{share}, {quote.state}"
    return (
        f"<span>{grouped_text(low, currency=currency)}</span>"
        f'<svg class="range" viewBox="0 0 {_WIDTH} 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="rail" d="M0 6h{_WIDTH}"/>{first}{mark}</svg>'
        f"<span>{grouped_text(high, currency=currency)}</span> <i{_WARNING.get(quote.state, '')}>{words}</i>"
    )


def _relative_volume(average: int) -> Draw:
    text = group_indian(str(average))

    def draw(quote: Quote) -> str:
        tick = quote.tick
        if tick is None or tick.volume is None or not average:
            return text
        return f"{text} <i>{tick.volume * 100 // average}% of it today</i>"

    return draw


def _open_interest(*before: int) -> Draw:
    def draw(quote: Quote) -> str:
        tick = quote.tick
        if tick is None or tick.oi is None:
            return DASH
        text = group_indian(str(tick.oi))
        if not before or not before[0]:
            return text
        change = tick.oi - before[0]
        sign = "+" if change > 0 else "-" if change < 0 else ""
        tenths = (abs(change) * 2_000 + before[0]) // (2 * before[0])
        grouped = group_indian(str(abs(change)))
        return f"{text} <i>{sign}{grouped} ({sign}{tenths // 10}.{tenths % 10}%)</i>"

    return draw


_WARNING: Final = {"stale": ' class="w"', "unknown": ' class="w"'}
_MAKE: Final[dict[tuple[str, int], Callable[..., Draw]]] = {
    (DAY, 0): _day,
    (YEAR, 3): _year,
    (RELATIVE_VOLUME, 1): _relative_volume,
    (OPEN_INTEREST, 0): _open_interest,
    (OPEN_INTEREST, 1): _open_interest,
}
