"""Which rows of a run a page shows, and in which order. Pure: rows, quotes, plans and a query in, rows out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from ltp.core.history.plan import Plan
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.web.table.columns import BY_NAME
from ltp.web.table.facets import waits
from ltp.web.table.run_cache import RunCache
from ltp.web.table.screen_query import WAITING, ScreenQuery
from ltp.web.table.values import sort_key


class RowPage(NamedTuple):
    """One page of rows. `matching` counts the rows on all pages; `first` is the place of this page's first
    row, from 1.
    """

    rows: tuple[Row, ...]
    matching: int
    first: int
    page: int
    pages: int


def matching(rows: Iterable[Row], query: ScreenQuery) -> list[Row]:
    """Return the rows whose symbol, name or sector holds the words typed, of the setup and the sector chosen."""
    words, setup, sector = query.q.casefold(), query.setup.casefold(), query.sector.casefold()
    return [
        row
        for row in rows
        if (not setup or row.setup.casefold() == setup or (setup == WAITING and waits(row)))
        and (not sector or row.sector.casefold() == sector)
        and (not words or any(words in text.casefold() for text in (row.symbol, row.name, row.sector)))
    ]


def ordered(
    rows: Iterable[Row],
    query: ScreenQuery,
    quotes: Mapping[str, Quote],
    plans: Mapping[str, Plan] | None = None,
) -> list[Row]:
    """Sort by the query's column; equals by rank, and what has no value last in either direction."""
    of = sort_key(query.sort, quotes, plans or {})
    valued = [(of(row), row) for row in sorted(rows, key=attrgetter("rank"))]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=query.descending)
    return [row for _, row in known] + [row for value, row in valued if value is None]


def still(run: Run, query: ScreenQuery, sized: Callable[[], Sequence[Row]] | None = None) -> tuple[Row, ...]:
    """Return the rows of an order that no price changes: of one run always the same, so the order is kept.

    Args:
        sized: gives all rows as the view sizes them, where they are sorted by something of that.
    """
    asked = ScreenQuery(query.sort, query.descending, query.q, query.setup, sector=query.sector)
    rows = run.rows
    if sized is not None:
        asked = asked.with_(capital=query.capital, risk=query.risk)
    return tuple(
        [rows[place] for place in _PLACES.of(run, asked, lambda: _places(sized() if sized else rows, asked))]
    )


def _places(rows: Sequence[Row], query: ScreenQuery) -> tuple[int, ...]:
    places = {row.key: place for place, row in enumerate(rows)}
    return tuple(places[row.key] for row in ordered(matching(rows, query), query, {}))


def paged(rows: Sequence[Row], query: ScreenQuery) -> RowPage:
    """Cut out the query's page; past the end, the last one, because a bookmark may outlive the rows it was
    made on.
    """
    pages = max(1, -(-len(rows) // query.size))
    page = min(query.page, pages)
    start = (page - 1) * query.size
    return RowPage(tuple(rows[start : start + query.size]), len(rows), start + 1 if rows else 0, page, pages)


def of_ranks(rows: Iterable[Row], ranks: Iterable[int]) -> list[Row]:
    wanted = frozenset(ranks)
    return [row for row in rows if row.rank in wanted]


def sorts_live(query: ScreenQuery) -> bool:
    """Tell whether the order is one that prices change."""
    return query.sort in BY_NAME and BY_NAME[query.sort].live


_PLACES: Final = RunCache[tuple[int, ...]](64)
