"""The table of a screener's page: rows, columns, links and totals, ready for the template and for files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from flask import request
from markupsafe import Markup

from ltp.core.counted import counted
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.errors import InputError
from ltp.web.live import poll
from ltp.web.services import services
from ltp.web.table import neighbours, rows, select, sizes, titles
from ltp.web.table.cells import DAY_LINE
from ltp.web.table.columns import OF_LISTS, RECOMMENDATIONS, SYMBOL, TABS, YEAR_RANGE, Column, of_tab
from ltp.web.table.facets import Facets, SetupChoice, facets
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener, default_columns, in_table_order

# Parameters that are not the table's, such as `c=` of a custom screen: they stay in each link and form.
Carried = Sequence[tuple[str, str]]
_LABELS: Final = {"candidates": "Candidates", "recommendations": "Plans"}


class Heading(NamedTuple):
    """A column in the table's head. `url`: sorts by it. `aria`: the value of aria-sort."""

    column: Column
    url: str
    aria: str


class Tab(NamedTuple):
    name: str
    label: str
    url: str
    current: bool


class Table(NamedTuple):
    """One page of a run, for `screeners/_table.html` and for `export`.

    `run`: None before the first one, then there are no rows. `body`: markup of the rows. `choosers`: each
    column of the tab with the address that shows or hides it. `choosing`: the reader has just followed one of
    these. `live`: None on a paused page. `rerank_url`: "" unless prices change the order. `newest_url`: ""
    unless the address names a run. `totals`: None outside the tab of plans.
    """

    screener: Screener
    run: Run | None
    query: ScreenQuery
    path: str
    carried: Carried
    listing: select.RowPage
    quotes: Mapping[str, Quote]
    columns: tuple[Column, ...]
    headings: tuple[Heading, ...]
    body: Markup
    choosers: tuple[tuple[Column, str], ...]
    choosing: bool
    tabs: tuple[Tab, ...]
    setups: tuple[SetupChoice, ...]
    facets: Facets
    live: poll.LiveAddresses | None
    pause_url: str
    rerank_url: str
    newest_url: str
    totals: sizes.Totals | None

    def url(self, **changes: Any) -> str:
        """Return the address of this page with changes to its query."""
        return self.query.with_(**changes).url(self.path, self.carried)

    @property
    def canonical(self) -> str:
        return self.query.with_(live=True).url(self.path, self.carried)

    def title(self, name: str) -> str:
        """Return the title of the page. `name`: of the screener."""
        return titles.title(self.screener, self.query, name)

    def file(self, suffix: str) -> str:
        """Return the address of the same rows and columns as a file. `suffix`: csv or json."""
        return self.query.with_(live=True).url(f"{self.path}.{suffix}", self.carried)

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """Parameters that the form of the filter keeps in hidden fields."""
        setup = "" if self.facets.many else self.query.setup
        kept = self.query.with_(page=1, q="", sector="", size=ScreenQuery.size, setup=setup)
        return (*self.carried, *kept.params().items())

    @property
    def hidden_when_sizing(self) -> tuple[tuple[str, str], ...]:
        """Parameters that the form of capital and risk keeps in hidden fields."""
        return (*self.carried, *self.query.with_(capital=0, risk=0).params().items())

    @property
    def filtered(self) -> bool:
        return bool(self.query.q or self.query.setup or self.query.sector)


def prepare(
    screener: Screener, run: Run | None, query: ScreenQuery, path: str, carried: Carried = ()
) -> Table:
    """Prepare the page of `run` that `query` selects, and demand the prices of its rows.

    Args:
        path: of the page; below it are its stream, poll and files (<path>/stream, /poll, .csv, .json).
    Raises:
        InputError: the run has fewer pages.
    """
    shared = services()
    if run is not None:
        shared.plans.learn(run)
    page, quotes = _page(run, query)
    _refuse_past_last_page(query, page)
    query = query.with_(page=page.page, rows=())
    shared.demand([row.key for row in page.rows])
    columns = _columns(screener, run, query)
    names, link = _cell_names(columns, run), neighbours.row_link(screener, query)
    _learn_past(page.rows, columns)
    links = _Links(path, carried)
    return Table(
        screener=screener,
        run=run,
        query=query,
        path=path,
        carried=carried,
        listing=page,
        quotes=quotes,
        columns=columns,
        headings=tuple(links.heading(column, query) for column in (SYMBOL, *columns)),
        body=rows.rows(
            page.rows, names, quotes, shared.cell, link, sized=query.sized, sections=_in_list_order(query)
        ),
        choosers=links.choosers(screener, run, query),
        choosing=request.headers.get("HX-Source", "").startswith("a#c-"),
        tabs=tuple(links.tab(tab, query) for tab in TABS),
        setups=links.setups(run, query),
        facets=facets(run),
        live=links.live(_pinned(run, query, page)) if query.live else None,
        pause_url=links.url(query.with_(live=not query.live)),
        rerank_url=links.url(query) if select.is_sorted_by_price(query) else "",
        newest_url=links.url(query.with_(run=0, page=1)) if query.run else "",
        totals=_totals(run, query, page, quotes),
    )


def live_cells(screener: Screener, run: Run | None, query: ScreenQuery) -> tuple[list[str], list[str]]:
    """Return keys and live columns of the page that `query` selects, for its stream and its polls."""
    if run is None:
        return [], []
    services().plans.learn(run)
    page = select.of_ranks(run.rows, query.rows) if query.rows else _page(run, query)[0].rows
    columns = [column for column in _columns(screener, run, query) if column.live]
    names = _cell_names(columns, run)
    _learn_past(page, columns)
    return [row.key for row in page], list(names)


def _learn_past(shown: Sequence[Row], columns: Sequence[Column]) -> None:
    """Read what live columns of a page need of earlier prices: today's closes, the range of 52 weeks."""
    names = {column.name for column in columns}
    if DAY_LINE in names:
        services().learn_days([row.key for row in shown])
    if YEAR_RANGE in names:
        services().learn_years([row.key for row in shown])


class _Links:
    """The addresses in a table's controls. `path`, `carried`: of the page."""

    def __init__(self, path: str, carried: Carried) -> None:
        self._path, self._carried = path, carried

    def url(self, query: ScreenQuery) -> str:
        return query.url(self._path, self._carried)

    def live(self, query: ScreenQuery) -> poll.LiveAddresses:
        return poll.LiveAddresses(
            query.url(f"{self._path}/stream", self._carried), query.url(f"{self._path}/poll", self._carried)
        )

    def heading(self, column: Column, query: ScreenQuery) -> Heading:
        """A first click sorts numbers from the highest and words from A, the next one reverses the order."""
        is_sorted = query.sort == column.name
        descending = not query.descending if is_sorted else not (column.text or column.name == "rank")
        aria = ("descending" if query.descending else "ascending") if is_sorted else "none"
        url = self.url(query.with_(sort=column.name, descending=descending, page=1, rows=()))
        return Heading(column, url, aria)

    def tab(self, tab: str, query: ScreenQuery) -> Tab:
        return Tab(tab, _LABELS[tab], self.url(query.in_tab(tab)), query.tab == tab)

    def choosers(
        self, screener: Screener, run: Run | None, query: ScreenQuery
    ) -> tuple[tuple[Column, str], ...]:
        default = default_columns(screener, run, query.tab)
        shown = frozenset(query.columns or default)
        offered = (each for each in of_tab(query.tab) if screener.is_list or each not in OF_LISTS)
        toggled = ((each.name, in_table_order(shown ^ {each.name} | {"ltp"})) for each in offered)
        return tuple(
            (screener.column(name), self.url(query.with_(columns=() if chosen == default else chosen)))
            for name, chosen in toggled
        )

    def setups(self, run: Run | None, query: ScreenQuery) -> tuple[SetupChoice, ...]:
        chosen = query.setup.casefold()
        return tuple(
            each._replace(
                url=self.url(query.with_(setup=each.value, page=1)), current=each.value.casefold() == chosen
            )
            for each in facets(run).setups
        )


def _refuse_past_last_page(query: ScreenQuery, page: select.RowPage) -> None:
    if query.page > page.pages:
        verb = "is" if page.pages == 1 else "are"
        raise InputError("page", str(query.page), f"there {verb} {counted(page.pages, 'page')}")


def _totals(
    run: Run | None, query: ScreenQuery, page: select.RowPage, quotes: Mapping[str, Quote]
) -> sizes.Totals | None:
    if run is None or query.tab != RECOMMENDATIONS:
        return None
    return sizes.totals(page.rows, query, quotes, services().plans.of(run.id))


def _columns(screener: Screener, run: Run | None, query: ScreenQuery) -> tuple[Column, ...]:
    names = query.columns or default_columns(screener, run, query.tab)
    return tuple(screener.column(name) for name in names)


def _cell_names(columns: Sequence[Column], run: Run | None) -> tuple[str, ...]:
    """Return the columns' names for `cells`: one that shows a plan has the id of its run in the name."""
    return tuple(f"{each.name}@{run.id}" if each.of_run and run else each.name for each in columns)


def _page(run: Run | None, query: ScreenQuery) -> tuple[select.RowPage, dict[str, Quote]]:
    """Return the page's rows and their quotes; sorting by prices has read the quotes of all rows."""
    if run is None:
        return select.page_of((), query), {}
    listed, quotes = neighbours.list_rows(run, query)
    page = select.page_of(listed, query)
    page = page._replace(rows=tuple(map(sizes.resized_for(run, query), page.rows)))
    if not select.is_sorted_by_price(query):
        quotes = {quote.key: quote for quote in services().hub.quotes([row.key for row in page.rows])}
    return page, quotes


def _pinned(run: Run | None, query: ScreenQuery, page: select.RowPage) -> ScreenQuery:
    """Return the query of the page's stream: it names the run, and the rows if prices selected them."""
    if run is None:
        return query
    rows_by_price: Sequence[Row] = page.rows if select.is_sorted_by_price(query) and page.pages > 1 else ()
    ranks = tuple(sorted(row.rank for row in rows_by_price))
    return query.with_(run=run.id if run.is_stored else 0, rows=ranks, page=page.page)


def _in_list_order(query: ScreenQuery) -> bool:
    """Return whether the rows are in the order of their list: in any other one sections have no place."""
    return query.sort == "rank" and not query.descending
