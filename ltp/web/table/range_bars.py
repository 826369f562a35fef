"""The place of a price between two others: of the day, and of 52 weeks; as a number and as a bar in a cell.

A bar has the price's mark and a dot for the entry of the row's plan, so its column has the run behind an @,
as in `range_day@17`. Drawn for each new price: plain string operations, no template engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ltp.core.bars.forming import is_other_scale
from ltp.core.history.extremes import Ends
from ltp.core.history.plan import Plan
from ltp.core.money import Price, grouped_text, is_currency
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.web.table.cells import DASH, Draw
from ltp.web.table.columns import DAY_RANGE, YEAR_RANGE
from ltp.web.table.plan_cells import is_stale

Pair = tuple[Price, Price]
_WIDTH: Final = 96
_EDGE: Final = 3  # the radius of the dot, which must not be cut off
_LENGTH: Final = _WIDTH - 2 * _EDGE
_NAMES: Final = {DAY_RANGE: "of the day", YEAR_RANGE: "of 52 weeks"}


def day_ends(tick: Tick) -> Pair | None:
    """Return the lowest and the highest price of the day, None if they are not known."""
    if tick.ltp is None or tick.low is None or tick.high is None:
        return None
    return min(tick.low, tick.ltp), max(tick.high, tick.ltp)


def year_ends(tick: Tick, low: Price, high: Price, close: Price) -> Pair | None:
    """Return the ends of stored candles widened by today's prices, None where these have another scale.

    Args:
        close: the newest one of the candles.
    """
    if tick.ltp is None or is_other_scale(tick, close):
        return None
    today = [price for price in (tick.ltp, tick.low, tick.high) if price is not None]
    return min(low, *today), max(high, *today)


def day_place(quote: Quote) -> float | None:
    """Return the place of the price in the day: 0 at the low, 100 at the high, None for one price alone."""
    return _place(quote, None if quote.tick is None else day_ends(quote.tick))


def year_place(quote: Quote, year: Ends | None) -> float | None:
    """Return the place of the price in 52 weeks; `year`: of the stored candles, None without any."""
    return _place(quote, _year(quote, year))


def with_bars(
    planned: Callable[[str], Draw | None],
    plans_of: Callable[[int], Mapping[str, Plan]],
    year_of: Callable[[str], Ends | None],
) -> Callable[[str], Draw | None]:
    """Return the function that finds the draw function of a column of plans or of this module.

    Args:
        plans_of: returns a run's plans by key, empty while the run is unknown.
        year_of: returns the figures of an instrument's stored candles.
    """

    def draw_function(column: str) -> Draw | None:
        name, _, run_id = column.partition("@")
        if name not in _NAMES or not (run_id.isascii() and (run_id.isdigit() or not run_id)):
            return planned(column)
        run = int(run_id or 0)

        def draw(quote: Quote) -> str:
            tick = quote.tick
            if tick is None or tick.ltp is None:
                return DASH
            ends = day_ends(tick) if name == DAY_RANGE else _year(quote, year_of(quote.key))
            if ends is None:
                return DASH
            plan = plans_of(run).get(quote.key)
            return _bar(
                quote, name, tick.ltp, ends, None if plan is None or is_stale(plan, tick, tick.ltp) else plan
            )

        return draw

    return draw_function


def _year(quote: Quote, year: Ends | None) -> Pair | None:
    if year is None or quote.tick is None:
        return None
    return year_ends(quote.tick, year.low, year.high, year.close)


def _place(quote: Quote, ends: Pair | None) -> float | None:
    if ends is None or quote.tick is None or quote.tick.ltp is None or ends[0] == ends[1]:
        return None
    return 100 * (quote.tick.ltp - ends[0]) / (ends[1] - ends[0])


def _bar(quote: Quote, name: str, ltp: Price, ends: Pair, plan: Plan | None) -> str:
    """Return the bar. The mark of a price that is not live has class `was`, and its state is in the label."""
    (low, high), currency = ends, is_currency(quote.key)
    percent = f"{(ltp - low) * 100 // (high - low)}%" if high > low else "one price"
    state = "" if quote.state == "live" else f", {quote.state}"
    words = f"{grouped_text(low, currency=currency)} to {grouped_text(high, currency=currency)}"
    dot, entry = "", ""
    if plan is not None:
        dot, entry = _entry(plan.entry, ends), f", entry {grouped_text(plan.entry, currency=currency)}"
    mark = f'<path class="{"at" if quote.state == "live" else "at was"}" d="M{_x(ltp, ends)} 0v12"/>'
    return (
        f'<svg class="range" width="{_WIDTH}" height="12" viewBox="0 0 {_WIDTH} 12" role="img"'
        f' aria-label="{percent}{state}: {_NAMES[name]}, {words}{entry}">'
        f'<path class="rail" d="M{_EDGE} 6h{_LENGTH}"/>{mark}{dot}</svg>'
    )


def _entry(entry: Price, ends: Pair) -> str:
    """Return the dot of the entry; outside of the range an arrow at that end."""
    if entry < ends[0]:
        return '<path class="entry" d="M0 6l6-4v8z"/>'
    if entry > ends[1]:
        return f'<path class="entry" d="M{_WIDTH} 6l-6-4v8z"/>'
    return f'<circle class="entry" cx="{_x(entry, ends)}" cy="6" r="{_EDGE}"/>'


def _x(price: Price, ends: Pair) -> int:
    low, high = ends
    return _EDGE + (_LENGTH // 2 if high == low else round((price - low) * _LENGTH / (high - low)))
