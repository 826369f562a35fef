"""The rows of a run that a query lists, on all its pages: in their order, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.web.services import services
from ltp.web.table import select, sizes
from ltp.web.table.columns import YEAR_RANGE
from ltp.web.table.links import active_filters
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.values import Years


class Relief(NamedTuple):
    """A condition of a list without rows. `found`: the number of rows without it."""

    label: str
    without: ScreenQuery
    found: int


def list_rows(run: Run, query: ScreenQuery) -> tuple[Sequence[Row], dict[str, Quote]]:
    """Return the rows on all pages of a list in its order, and their quotes if prices choose or order them."""
    if not select.needs_prices(query):
        sized = (lambda: _sized(run, query)) if sizes.decide(query) else None
        return select.fixed_order(run, query, sized), {}
    rows = select.matching(_sized(run, query), query)
    quotes, plans, years = _quotes(rows), services().plans.of(run.id), _years(rows, query)
    passing = select.matching_now(rows, query, quotes, plans, years)
    listed = select.ordered(passing, query, quotes, plans, years)
    if sizes.decide(query):  # the page shows its rows in the quantities of its tab
        stored = {row.key: row for row in run.rows}
        listed = [stored[row.key] for row in listed]
    return listed, quotes


def count(run: Run, query: ScreenQuery) -> int:
    """Return the number of rows that a query lists at the prices of this moment."""
    rows = select.matching(_sized(run, query), query)
    quotes = _quotes(rows) if select.is_filtered_by_price(query) else {}
    return len(select.matching_now(rows, query, quotes, services().plans.of(run.id), _years(rows, query)))


def reliefs(run: Run, query: ScreenQuery) -> tuple[Relief, ...]:
    """Return each condition of a query with the number of rows that the others alone would list."""
    return tuple(Relief(each.label, each.without, count(run, each.without)) for each in active_filters(query))


def _sized(run: Run, query: ScreenQuery) -> Sequence[Row]:
    """Return the rows of a run, with the quantities of this view if the query needs them."""
    if not sizes.decide(query):
        return run.rows
    return list(map(sizes.resize_of(run, query.capital, query.risk), run.rows))


def _quotes(rows: Sequence[Row]) -> dict[str, Quote]:
    return {quote.key: quote for quote in services().hub.quotes([row.key for row in rows])}


def _years(rows: Sequence[Row], query: ScreenQuery) -> Years:
    """Return the ranges of 52 weeks, read first where the query orders or filters by them."""
    names = {*(name for name, _ in query.orders), *(each.column for each in query.filters)}
    if YEAR_RANGE in names:
        services().learn_years([row.key for row in rows])
    return services().year
