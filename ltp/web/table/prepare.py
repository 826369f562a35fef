"""The table of a screener's page: rows, columns, links and totals, ready for the template and for files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from ltp.core.counted import counted
from ltp.core.screener import Row, Run
from ltp.core.ticks.quote import Quote
from ltp.errors import InputError
from ltp.web.live import poll
from ltp.web.services import services
from ltp.web.table import groups, listing, neighbours, rows, select, sizes, titles
from ltp.web.table.cells import DAY_LINE
from ltp.web.table.columns import RECOMMENDATIONS, SYMBOL, TABS, YEAR_RANGE, Column
from ltp.web.table.facets import Facets, SetupChoice, facets
from ltp.web.table.links import ActiveFilter, Carried, Heading, Links, Tab, column_filters
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener, default_columns
from ltp.web.table.views import chooser, form


class Table(NamedTuple):
    """One page of a run, for `screeners/_table.html` and for `export`.

    `run`: None before the first one, then there are no rows. `body`: markup of the rows. `live`: None on a paused
    page. `rerank_url`: "" unless prices choose or order the rows. `newest_url`: "" unless the address names a run.
    `totals`: None outside the tab of plans. `chips`: the filters of columns. `reliefs`: the conditions of a table
    without rows, else none.
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
    views: chooser.Chooser
    column_form: form.ColumnForm
    tabs: tuple[Tab, ...]
    setups: tuple[SetupChoice, ...]
    facets: Facets
    live: poll.LiveAddresses | None
    pause_url: str
    rerank_url: str
    newest_url: str
    totals: sizes.Totals | None
    chips: tuple[ActiveFilter, ...]
    reliefs: tuple[listing.Relief, ...]

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
    def file_columns(self) -> tuple[Column, ...]:
        """The columns of a file: a group has no heading there, so its column is the first if none shows it."""
        grouped = self.query.group and self.query.group not in {column.name for column in self.columns}
        return (self.screener.column(self.query.group), *self.columns) if grouped else self.columns

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """Parameters that the form of the filter keeps in hidden fields."""
        setup = "" if self.facets.many else self.query.setup
        kept = self.query.with_(page=1, q="", sector="", size=ScreenQuery.size, setup=setup)
        return (*self.carried, *kept.pairs())

    @property
    def hidden_when_sizing(self) -> tuple[tuple[str, str], ...]:
        """Parameters that the form of capital and risk keeps in hidden fields."""
        return (*self.carried, *self.query.with_(capital=0, risk=0).pairs())

    @property
    def filtered(self) -> bool:
        return bool(self.query.q or self.query.setup or self.query.sector or self.query.filters)

    @property
    def sorted_by_price(self) -> bool:
        return select.is_sorted_by_price(self.query)

    @property
    def unfiltered_url(self) -> str:
        return self.url(q="", setup="", sector="", filters=(), page=1)

    @property
    def count_url(self) -> str:
        """The address that counts the rows while a filter is typed; the form has the parameters."""
        return f"{self.path}/count"


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
    page, quotes, listed = _page(run, query)
    _refuse_past_last_page(query, page)
    query = query.with_(page=page.page, rows=())
    shared.demand([row.key for row in page.rows])
    columns = _columns(screener, run, query)
    links = Links(path, carried)
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
        body=_body(screener, run, query, columns, page, quotes, listed),
        views=chooser.chooser(shared.catalog.views(), query, path, carried),
        column_form=form.column_form(screener, run, query, columns, links, carried),
        tabs=tuple(links.tab(tab, query) for tab in TABS),
        setups=links.setups(run, query),
        facets=facets(run),
        live=links.live(_pinned(run, query, page)) if query.live else None,
        pause_url=links.url(query.with_(live=not query.live)),
        rerank_url=links.url(query) if select.needs_prices(query) else "",
        newest_url=links.url(query.with_(run=0, page=1)) if query.run else "",
        totals=_totals(run, query, page.rows, quotes),
        chips=column_filters(query),
        reliefs=listing.reliefs(run, query) if run and not page.matching else (),
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


def _refuse_past_last_page(query: ScreenQuery, page: select.RowPage) -> None:
    # Prices may have left fewer pages since the link to this one was made: then the last one is shown.
    if query.page > page.pages and not select.is_filtered_by_price(query):
        verb = "is" if page.pages == 1 else "are"
        raise InputError("page", str(query.page), f"there {verb} {counted(page.pages, 'page')}")


def _totals(
    run: Run | None, query: ScreenQuery, shown: Sequence[Row], quotes: Mapping[str, Quote]
) -> sizes.Totals | None:
    if run is None or query.tab != RECOMMENDATIONS:
        return None
    return sizes.totals(shown, query, quotes, services().plans.of(run.id))


def _body(
    screener: Screener,
    run: Run | None,
    query: ScreenQuery,
    columns: Sequence[Column],
    page: select.RowPage,
    quotes: Mapping[str, Quote],
    listed: Sequence[Row],
) -> Markup:
    """Return the markup of the rows of a page. `listed`: the rows of all pages, for the headings of groups."""
    if run is None:
        return Markup()
    names = _cell_names(columns, run)
    _learn_past(page.rows, columns)
    link = neighbours.row_link(screener, query)
    headings = _headings(screener, run, query, len(columns) + 1, page.rows, quotes, listed)
    return rows.rows(page.rows, names, quotes, services().cell, link, sized=query.sized, headings=headings)


def _headings(
    screener: Screener,
    run: Run,
    query: ScreenQuery,
    cells: int,
    shown: Sequence[Row],
    quotes: Mapping[str, Quote],
    listed: Sequence[Row],
) -> dict[str, Markup]:
    """Return the headings of groups, or of sections while the rows are in the order of their list."""
    if query.group:
        return groups.headings(
            groups.groups_of(listed, query.group, quotes, services().plans.of(run.id)),
            shown,
            screener.column(query.group),
            cells,
            lambda members: _totals(run, query, members, quotes),
        )
    in_order = screener.is_list and query.sort == "rank" and not query.descending
    return groups.section_headings(shown, cells) if in_order else {}


def _columns(screener: Screener, run: Run | None, query: ScreenQuery) -> tuple[Column, ...]:
    names = query.columns or default_columns(screener, run, query.tab)
    return tuple(screener.column(name) for name in names)


def _cell_names(columns: Sequence[Column], run: Run | None) -> tuple[str, ...]:
    """Return the columns' names for `cells`: one that shows a plan has the id of its run in the name."""
    return tuple(f"{each.name}@{run.id}" if each.of_run and run else each.name for each in columns)


def _page(run: Run | None, query: ScreenQuery) -> tuple[select.RowPage, dict[str, Quote], Sequence[Row]]:
    """Return the page's rows, their quotes and the rows of all pages. Prices that choose or order rows have been
    read for all.
    """
    if run is None:
        return select.page_of((), query), {}, ()
    listed, quotes = listing.list_rows(run, query)
    page = select.page_of(listed, query)
    page = page._replace(rows=tuple(map(sizes.resized_for(run, query), page.rows)))
    if not select.needs_prices(query):
        quotes = {quote.key: quote for quote in services().hub.quotes([row.key for row in page.rows])}
    return page, quotes, listed


def _pinned(run: Run | None, query: ScreenQuery, page: select.RowPage) -> ScreenQuery:
    """Return the query of the page's stream: it names the run, and the rows if prices selected them."""
    if run is None:
        return query
    query = query.with_(run=run.id if run.is_stored else 0, page=page.page)
    ranks = tuple(sorted(row.rank for row in page.rows))
    if select.is_filtered_by_price(query):
        return query.with_(rows=ranks or (0,))
    by_price = select.is_sorted_by_price(query) and page.pages > 1
    return query.with_(rows=ranks if by_price else ())
