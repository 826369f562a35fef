"""Everything a page with a screener's table needs, prepared in one place whatever the screener is: built in,
saved, custom.

A page does:  shown = screens.named(slug); query = filters.parse(pairs); run = screens.run_of(shown,
query.run)
              table = prepare(shown, run, query, path)
              render_template(..., table=table, live=table.live, pause_url=table.pause_url)
its template: {% from "screeners/_table.html" import screener_table %} ... {{ screener_table(table) }} its
stream:   poll.stream_of(*fed(shown, screens.open_run(shown, query.run), query)), at <path>/stream, without
`n` its poll:     poll.poll_of(*fed(...)), at <path>/poll its files:    export.respond(prepare(...), "csv" or
"json"), at <path>.csv and <path>.json

`carried`: parameters of the page that are not the table's and stay in each of its links and in its form, such
as the `c=` of a custom screen.
"""

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
from ltp.web.table.columns import RECOMMENDATIONS, SYMBOL, TABS, Column, of_tab
from ltp.web.table.facets import Facets, SetupChoice, facets
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener, columns_of, in_order

Carried = Sequence[tuple[str, str]]
_LABELS: Final = {"candidates": "Candidates", "recommendations": "Plans"}


class Heading(NamedTuple):
    """A column as the table's head shows it: `url` sorts by it, `aria` says whether it is sorted by now."""

    column: Column
    url: str
    aria: str


class Tab(NamedTuple):
    name: str
    label: str
    url: str
    current: bool


class Table(NamedTuple):
    """One page of a run, ready for `screeners/_table.html` and for `export`.

    `run` is None before the first one; then there are no rows. `body`: the drawn rows. `choosers`: each
    column of the tab and the address that shows or hides it; `choosing`: one of them was just used. `live`:
    None on a paused page. `rerank_url`: empty unless the order is one that prices change. `newest_url`: empty
    unless a run was named. `totals`: of the plans' tab.
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
        """Return the address of this page with some of its query changed."""
        return self.query.with_(**changes).url(self.path, self.carried)

    @property
    def canonical(self) -> str:
        """The one address of what is shown, whatever else the present one says."""
        return self.query.with_(live=True).url(self.path, self.carried)

    def title(self, name: str) -> str:
        """Return the page's title; `name`: what the screener is called there."""
        return titles.title(self.screener, self.query, name)

    def file(self, suffix: str) -> str:
        """Return the address of exactly what is shown as a file, `suffix` being csv or json."""
        return self.query.with_(live=True).url(f"{self.path}.{suffix}", self.carried)

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What the filter's form keeps without showing it."""
        setup = "" if self.facets.many else self.query.setup
        kept = self.query.with_(page=1, q="", sector="", size=ScreenQuery.size, setup=setup)
        return (*self.carried, *kept.params().items())

    @property
    def unsized(self) -> tuple[tuple[str, str], ...]:
        """What the form of capital and risk keeps without showing it."""
        return (*self.carried, *self.query.with_(capital=0, risk=0).params().items())

    @property
    def filtered(self) -> bool:
        return bool(self.query.q or self.query.setup or self.query.sector)


def prepare(shown: Screener, run: Run | None, query: ScreenQuery, path: str, carried: Carried = ()) -> Table:
    """Prepare the page of `run` that `query` asks for, at `path`; asks for its prices to be kept current.

    Raises:
        InputError: there are not so many pages.
    """
    held = services()
    if run is not None:
        held.plans.learn(run)
    page, quotes = _page(run, query)
    if query.page > page.pages:
        raise InputError(
            "page",
            str(query.page),
            f"there {'is' if page.pages == 1 else 'are'} {counted(page.pages, 'page')}",
        )
    query = query.with_(page=page.page, rows=())
    held.demand([row.key for row in page.rows])
    columns = _columns(shown, run, query)
    within = _Links(path, carried)
    return Table(
        screener=shown,
        run=run,
        query=query,
        path=path,
        carried=carried,
        listing=page,
        quotes=quotes,
        columns=columns,
        headings=tuple(within.heading(column, query) for column in (SYMBOL, *columns)),
        body=rows.rows(
            page.rows,
            _names(columns, run),
            quotes,
            held.cell,
            neighbours.link(shown, query),
            sized=query.sized,
        ),
        choosers=within.choosers(shown, run, query),
        choosing=request.headers.get("HX-Source", "").startswith("a#c-"),
        tabs=tuple(within.tab(tab, query) for tab in TABS),
        setups=within.setups(run, query),
        facets=facets(run),
        live=within.live(_pinned(run, query, page)) if query.live else None,
        pause_url=within.url(query.with_(live=not query.live)),
        rerank_url=within.url(query) if select.sorts_live(query) else "",
        newest_url=within.url(query.with_(run=0, page=1)) if query.run else "",
        totals=_totals(run, query, page, quotes),
    )


def fed(shown: Screener, run: Run | None, query: ScreenQuery) -> tuple[list[str], list[str]]:
    """Return the keys and live columns of the page with this query, for its stream and its polls."""
    if run is None:
        return [], []
    services().plans.learn(run)
    page = select.of_ranks(run.rows, query.rows) if query.rows else _page(run, query)[0].rows
    columns = [column for column in _columns(shown, run, query) if column.live]
    return [row.key for row in page], list(_names(columns, run))


class _Links:
    """The addresses around a table."""

    def __init__(self, path: str, carried: Carried) -> None:
        self._path, self._carried = path, carried

    def url(self, query: ScreenQuery) -> str:
        return query.url(self._path, self._carried)

    def live(self, query: ScreenQuery) -> poll.LiveAddresses:
        return poll.LiveAddresses(
            query.url(f"{self._path}/stream", self._carried), query.url(f"{self._path}/poll", self._carried)
        )

    def heading(self, column: Column, query: ScreenQuery) -> Heading:
        """A first click sorts numbers from the top and words from A; the next one turns the order round."""
        sorted_by = query.sort == column.name
        descending = not query.descending if sorted_by else not (column.text or column.name == "rank")
        aria = ("descending" if query.descending else "ascending") if sorted_by else "none"
        return Heading(
            column, self.url(query.with_(sort=column.name, descending=descending, page=1, rows=())), aria
        )

    def tab(self, tab: str, query: ScreenQuery) -> Tab:
        return Tab(tab, _LABELS[tab], self.url(query.of_tab(tab)), query.tab == tab)

    def choosers(
        self, shown: Screener, run: Run | None, query: ScreenQuery
    ) -> tuple[tuple[Column, str], ...]:
        own = columns_of(shown, run, query.tab)
        now = frozenset(query.columns or own)
        toggled = ((each.name, in_order(now ^ {each.name} | {"ltp"})) for each in of_tab(query.tab))
        return tuple(
            (shown.column(name), self.url(query.with_(columns=() if chosen == own else chosen)))
            for name, chosen in toggled
        )

    def setups(self, run: Run | None, query: ScreenQuery) -> tuple[SetupChoice, ...]:
        now = query.setup.casefold()
        return tuple(
            each._replace(
                url=self.url(query.with_(setup=each.value, page=1)), current=each.value.casefold() == now
            )
            for each in facets(run).setups
        )


def _totals(
    run: Run | None, query: ScreenQuery, page: select.RowPage, quotes: Mapping[str, Quote]
) -> sizes.Totals | None:
    if run is None or query.tab != RECOMMENDATIONS:
        return None
    return sizes.totals(page.rows, query, quotes, services().plans.of(run.id))


def _columns(shown: Screener, run: Run | None, query: ScreenQuery) -> tuple[Column, ...]:
    return tuple(shown.column(name) for name in query.columns or columns_of(shown, run, query.tab))


def _names(columns: Sequence[Column], run: Run | None) -> tuple[str, ...]:
    """Return the columns as `cells` draws them: one that follows a plan names the run."""
    return tuple(f"{each.name}@{run.id}" if each.planned and run else each.name for each in columns)


def _page(run: Run | None, query: ScreenQuery) -> tuple[select.RowPage, dict[str, Quote]]:
    """Return the page's rows and the quotes of at least these; an order made of prices needs those of all
    rows.
    """
    if run is None:
        return select.paged((), query), {}
    listed, quotes = neighbours.listed(run, query)
    page = select.paged(listed, query)
    page = page._replace(rows=tuple(map(sizes.resized_for(run, query), page.rows)))
    if not select.sorts_live(query):
        quotes = {quote.key: quote for quote in services().hub.quotes([row.key for row in page.rows])}
    return page, quotes


def _pinned(run: Run | None, query: ScreenQuery, page: select.RowPage) -> ScreenQuery:
    """Return the query of the page's own stream: it names the run and, where prices decided which rows these
    are, the rows.
    """
    if run is None:
        return query
    ranks: Sequence[Row] = page.rows if select.sorts_live(query) and page.pages > 1 else ()
    return query.with_(run=run.id, rows=tuple(sorted(row.rank for row in ranks)), page=page.page)
