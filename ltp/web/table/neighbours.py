"""Where a row stands in the list that it was opened from: its place, the rows before and after it, and the
way back to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.web.services import services
from ltp.web.table import select, sizes
from ltp.web.table.rows import RowLink, row_id
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener


class Neighbour(NamedTuple):
    symbol: str
    url: str


class ListPlace(NamedTuple):
    """`number` counts from 1, 0 where the list has no such row. `back`: the list, at the row."""

    number: int
    of: int
    back: str
    before: Neighbour | None = None
    after: Neighbour | None = None


def place(shown: Screener, run: Run, query: ScreenQuery, row: Row) -> ListPlace:
    """Return the place of `row` among the rows that `query` lists. An order of prices is that of this moment."""
    rows, _ = listed(run, query)
    leads, at = link(shown, query), next((at for at, each in enumerate(rows) if each.key == row.key), None)
    wanted = query.with_(live=True, rows=())
    if at is None:
        return ListPlace(0, len(rows), wanted.url(shown.path))
    back = f"{wanted.with_(page=at // query.size + 1).url(shown.path)}#{row_id(row)}"
    before = _neighbour(leads, rows[at - 1]) if at else None
    after = _neighbour(leads, rows[at + 1]) if at + 1 < len(rows) else None
    return ListPlace(at + 1, len(rows), back, before, after)


def link(shown: Screener, query: ScreenQuery) -> RowLink:
    """Return where the rows of a list lead: their pages, with what says which rows there are and in which
    order.
    """
    kept = query.with_(page=1, live=True, rows=(), run=0)
    return RowLink(shown.kind, query.run, urlencode(kept.params(), safe=","))


def listed(run: Run, query: ScreenQuery) -> tuple[Sequence[Row], dict[str, Quote]]:
    """Return the rows of all pages of a list in its order, and their quotes where that order is made of
    prices.
    """
    if not select.sorts_live(query):
        resize = sizes.resized_for(run, query)
        return select.still(
            run, query, (lambda: list(map(resize, run.rows))) if query.sort in sizes.COLUMNS else None
        ), {}
    found, held = select.matching(run.rows, query), services()
    quotes = {quote.key: quote for quote in held.hub.quotes([row.key for row in found])}
    return select.ordered(found, query, quotes, held.plans.of(run.id)), quotes


def _neighbour(leads: RowLink, row: Row) -> Neighbour:
    return Neighbour(row.symbol, leads.of(row) + leads.suffix)
