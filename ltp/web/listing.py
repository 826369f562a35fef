"""Which rows of a run a page shows, and in which order. Pure: rows, quotes and a query in, rows out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from ltp.core.quote import Quote
from ltp.core.screener import Row
from ltp.web.filters import BY_NAME, ScreenQuery


class Listing(NamedTuple):
    """One page of rows. `matching` counts the rows on all pages; `first` is the place of this page's first row, from 1."""

    rows: tuple[Row, ...]
    matching: int
    first: int
    page: int
    pages: int


def matching(rows: Iterable[Row], query: ScreenQuery) -> list[Row]:
    """Return the rows whose symbol, name or sector holds the words typed, and whose setup is the one chosen."""
    words, setup = query.q.casefold(), query.setup.casefold()
    return [
        row
        for row in rows
        if (not setup or row.setup.casefold() == setup)
        and (not words or any(words in text.casefold() for text in (row.symbol, row.name, row.sector)))
    ]


def ordered(rows: Iterable[Row], query: ScreenQuery, quotes: Mapping[str, Quote]) -> list[Row]:
    """Sort by the query's column; equals by rank, and what has no value last in either direction."""
    valued = [(_value(row, query.sort, quotes), row) for row in sorted(rows, key=attrgetter("rank"))]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=itemgetter(0), reverse=query.descending)
    return [row for _, row in known] + [row for value, row in valued if value is None]


def paged(rows: Sequence[Row], query: ScreenQuery) -> Listing:
    """Cut out the query's page; past the end, the last one, because a bookmark may outlive the rows it was made on."""
    pages = max(1, -(-len(rows) // query.size))
    page = min(query.page, pages)
    start = (page - 1) * query.size
    return Listing(tuple(rows[start : start + query.size]), len(rows), start + 1 if rows else 0, page, pages)


def of_ranks(rows: Iterable[Row], ranks: Iterable[int]) -> list[Row]:
    wanted = frozenset(ranks)
    return [row for row in rows if row.rank in wanted]


def sorts_live(query: ScreenQuery) -> bool:
    """Tell whether the order is one that prices change."""
    return query.sort in BY_NAME and BY_NAME[query.sort].live


def _value(row: Row, sort: str, quotes: Mapping[str, Quote]) -> Any:
    """Return what the column sorts by, None where there is nothing to compare."""
    column = BY_NAME.get(sort)
    if column is None or not column.live:
        value = getattr(row, sort)
        return (value.casefold() or None) if isinstance(value, str) else value
    quote = quotes.get(row.key)
    return None if quote is None else _live_value(quote, sort)


def _live_value(quote: Quote, sort: str) -> float | None:
    tick = quote.tick
    if tick is None:
        return None
    if sort in {"chg", "chgp"}:
        if tick.ltp is None or not tick.prev_close:
            return None
        change = tick.ltp - tick.prev_close
        return change if sort == "chg" else change / tick.prev_close
    value: int | None = getattr(tick, "prev_close" if sort == "prev" else sort)
    return value
