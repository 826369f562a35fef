"""The rows of a run that a page shows, in their order. Pure: rows, quotes, plans and a query in, rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

from ltp.core.history.plan import Plan
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.web.table.columns import BY_NAME
from ltp.web.table.facets import is_waiting
from ltp.web.table.filters.match import passing
from ltp.web.table.groups import groups_of
from ltp.web.table.run_cache import RunCache
from ltp.web.table.screen_query import WAITING, ScreenQuery
from ltp.web.table.values import Years, sort_key


class RowPage(NamedTuple):
    """One page of rows. `matching`: number of rows on all pages. `first`: place of the first row of this page
    among them, from 1.
    """

    rows: tuple[Row, ...]
    matching: int
    first: int
    page: int
    pages: int


def matching(rows: Iterable[Row], query: ScreenQuery) -> list[Row]:
    """Return the rows of the query's setup and sector, with its words in their symbol, name or sector, that pass
    its filters of stored values.
    """
    words, setup, sector = query.q.casefold(), query.setup.casefold(), query.sector.casefold()
    named = [
        row
        for row in rows
        if (not setup or row.setup.casefold() == setup or (setup == WAITING and is_waiting(row)))
        and (not sector or row.sector.casefold() == sector)
        and (not words or any(words in text.casefold() for text in (row.symbol, row.name, row.sector)))
    ]
    return passing(named, [each for each in query.filters if not each.is_live], {}, {})


def matching_now(
    rows: Iterable[Row],
    query: ScreenQuery,
    quotes: Mapping[str, Quote],
    plans: Mapping[str, Plan],
    years: Years = lambda _key: None,
) -> list[Row]:
    """Return those of `matching` rows that pass the query's filters of prices."""
    return passing(rows, [each for each in query.filters if each.is_live], quotes, plans, years)


def ordered(
    rows: Iterable[Row],
    query: ScreenQuery,
    quotes: Mapping[str, Quote],
    plans: Mapping[str, Plan] | None = None,
    years: Years = lambda _key: None,
) -> list[Row]:
    """Sort by the query's one or two columns, equal values by rank, within the query's groups.

    Rows without a value come last in both directions.
    """
    listed = sorted(rows, key=attrgetter("rank"))
    for name, descending in reversed(query.orders):
        listed = _sorted(listed, sort_key(name, quotes, plans or {}, years), descending=descending)
    if not query.group:
        return listed
    groups = groups_of(listed, query.group, quotes, plans or {}, best_first=query.best_first)
    return [row for group in groups for row in group.rows]


def _sorted(rows: Iterable[Row], key_of: Callable[[Row], Any], *, descending: bool) -> list[Row]:
    keyed = [(key_of(row), row) for row in rows]
    valued = [pair for pair in keyed if pair[0] is not None]
    valued.sort(key=itemgetter(0), reverse=descending)
    return [row for _, row in valued] + [row for key, row in keyed if key is None]


def fixed_order(
    run: Run, query: ScreenQuery, sized: Callable[[], Sequence[Row]] | None = None
) -> tuple[Row, ...]:
    """Return the rows of an order that no price changes. It is sorted once for each run and kept.

    Args:
        sized: returns all rows with quantities for this view; given only for an order that needs them.
    """
    # Without the page, the columns and the rest, that leave the order as it is.
    order = ScreenQuery().with_(**{name: getattr(query, name) for name in _DECIDING})
    rows = run.rows
    if sized is not None:
        order = order.with_(capital=query.capital, risk=query.risk)
    places = _PLACES.get_or_compute(run, order, lambda: _places(sized() if sized else rows, order))
    return tuple([rows[place] for place in places])


def _places(rows: Sequence[Row], query: ScreenQuery) -> tuple[int, ...]:
    places = {row.key: place for place, row in enumerate(rows)}
    return tuple(places[row.key] for row in ordered(matching(rows, query), query, {}))


def page_of(rows: Sequence[Row], query: ScreenQuery) -> RowPage:
    """Return the query's page of `rows`, the last one if there are fewer: a bookmark may outlive its rows."""
    pages = max(1, -(-len(rows) // query.size))
    page = min(query.page, pages)
    start = (page - 1) * query.size
    return RowPage(tuple(rows[start : start + query.size]), len(rows), start + 1 if rows else 0, page, pages)


def of_ranks(rows: Iterable[Row], ranks: Iterable[int]) -> list[Row]:
    wanted = frozenset(ranks)
    return [row for row in rows if row.rank in wanted]


def is_sorted_by_price(query: ScreenQuery) -> bool:
    """Does the order change with prices?"""
    names = (query.group, *(name for name, _ in query.orders))
    return any(name in BY_NAME and BY_NAME[name].live for name in names)


def is_filtered_by_price(query: ScreenQuery) -> bool:
    """Do prices decide which rows there are?"""
    return any(each.is_live for each in query.filters)


def needs_prices(query: ScreenQuery) -> bool:
    """Must the prices of all rows be known to select a page of them?"""
    return is_sorted_by_price(query) or is_filtered_by_price(query)


_DECIDING: Final = (
    *("q", "setup", "sector", "filters"),
    *("sort", "descending", "then", "then_descending", "group", "best_first"),
)
_PLACES: Final = RunCache[tuple[int, ...]](64)
