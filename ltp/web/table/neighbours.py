"""The place of a row in the list that it was opened from, with links to the rows around it and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from ltp.core.screener import Row, Run
from ltp.web.table.listing import list_rows
from ltp.web.table.rows import RowLink, row_id
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener


class Neighbour(NamedTuple):
    symbol: str
    url: str


class ListPlace(NamedTuple):
    """`number`: from 1, 0 if the row is not in the list. `back`: address of the row in the list."""

    number: int
    of: int
    back: str
    before: Neighbour | None = None
    after: Neighbour | None = None


def place_in_list(
    screener: Screener, run: Run, query: ScreenQuery, row: Row, carried: Sequence[tuple[str, str]] = ()
) -> ListPlace:
    """Return the place of `row` among the rows that `query` lists, by the prices of this moment.

    Args:
        carried: parameters of the row's page that the links to its neighbours keep.
    """
    rows, _ = list_rows(run, query)
    link = row_link(screener, query, carried)
    index = next((index for index, each in enumerate(rows) if each.key == row.key), None)
    listing = query.with_(live=True, rows=())
    if index is None:
        return ListPlace(0, len(rows), listing.url(screener.path))
    back = f"{listing.with_(page=index // query.size + 1).url(screener.path)}#{row_id(row)}"
    before = _neighbour(link, rows[index - 1]) if index else None
    after = _neighbour(link, rows[index + 1]) if index + 1 < len(rows) else None
    return ListPlace(index + 1, len(rows), back, before, after)


def row_link(screener: Screener, query: ScreenQuery, carried: Sequence[tuple[str, str]] = ()) -> RowLink:
    """Return the link from the rows of a list to their pages, with the filter and order of the list."""
    if screener.is_list:
        return RowLink("/instruments")
    kept = query.with_(page=1, live=True, rows=(), run=0)
    path, suffix = f"/screeners/{screener.kind}", urlencode([*kept.pairs(), *carried], safe=",")
    return RowLink(path, query.run, suffix)


def _neighbour(link: RowLink, row: Row) -> Neighbour:
    return Neighbour(row.symbol, link.of(row) + link.suffix)
