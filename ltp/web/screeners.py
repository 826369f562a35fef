"""`/screeners/<kind>`: the newest run of a screener as a live table, its stream and its polls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from flask import Blueprint, Response, render_template, request

from ltp.core.quote import Quote
from ltp.core.screener import Row, Run
from ltp.errors import NotFoundError
from ltp.web import filters, listing, poll
from ltp.web.filters import BY_NAME, COLUMNS, Column, ScreenQuery
from ltp.web.services import services

bp = Blueprint("screeners", __name__)


class Screener(NamedTuple):
    """A built-in screener; it has a page even before its first run. `columns`: shown unless the reader chooses others."""

    kind: str
    title: str
    about: str
    columns: tuple[str, ...]


SCREENERS: Final = {
    screener.kind: screener
    for screener in (
        Screener(
            "swing",
            "Swing screener",
            "Shares set up for a move of days to weeks, each with a plan: entry, stop and target.",
            ("ltp", "chg", "chgp", "volume", "setup", "score", "entry", "stop", "target"),
        ),
        Screener(
            "longterm",
            "Long-term screener",
            "Shares worth holding for months to years, best score first.",
            ("ltp", "chg", "chgp", "volume", "sector", "score", "entry", "target"),
        ),
    )
}


class Heading(NamedTuple):
    """A column as the table's head shows it: `url` sorts by it, `aria` says whether it is sorted by now."""

    column: Column
    url: str
    aria: str


@bp.get("/screeners/<kind>")
def screener(kind: str) -> str:
    shown, path = _screener(kind), f"/screeners/{kind}"
    query = filters.parse(request.args.items(multi=True))
    run = services().catalog.current(kind)
    columns = _columns(shown, query)
    rows = listing.matching(run.rows, query) if run else []
    page, quotes = _page(rows, query)
    held = services()
    held.demand([row.key for row in page.rows])
    toggled = request.headers.get("HX-Source", "").startswith("a#c-")
    return render_template(
        "screeners/index.html",
        screener=shown,
        run=run,
        query=query.with_(page=page.page),
        listing=page,
        quotes=quotes,
        columns=columns,
        headings=[_heading(column, query, path) for column in columns],
        symbol_heading=_heading(_SYMBOL, query, path),
        choosers=[(column, query.with_(columns=_toggled(shown, query, column)).url(path)) for column in COLUMNS],
        choosing=toggled,
        setups=sorted({row.setup for row in run.rows if row.setup}) if run else [],
        path=path,
        live=poll.live(path, _pinned(run, query, page).params()) if query.live else None,
        pause_url=query.with_(live=not query.live).url(path),
    )


@bp.get("/screeners/<kind>/stream")
def stream(kind: str) -> Response:
    return poll.stream_of(*_shown(kind))


@bp.get("/screeners/<kind>/poll")
def polled(kind: str) -> Response:
    return poll.poll_of(*_shown(kind))


_SYMBOL: Final = Column("symbol", "Symbol", "Name on the exchange", text=True)


def _screener(kind: str) -> Screener:
    if kind not in SCREENERS:
        raise NotFoundError("screener", kind)
    return SCREENERS[kind]


def _columns(shown: Screener, query: ScreenQuery) -> list[Column]:
    names = query.columns or shown.columns
    return [BY_NAME[name] for name in names]


def _shown(kind: str) -> tuple[list[str], list[str]]:
    """Return the keys and live columns of the page with the present query."""
    shown = _screener(kind)
    query = filters.parse((name, value) for name, value in request.args.items(multi=True) if name != "n")
    run = _run(kind, query.run)
    rows: Sequence[Row] = run.rows if run else ()
    if query.rows:
        page: Sequence[Row] = listing.of_ranks(rows, query.rows)
    else:
        page = _page(listing.matching(rows, query), query)[0].rows
    return [row.key for row in page], [column.name for column in _columns(shown, query) if column.live]


def _run(kind: str, run_id: int) -> Run | None:
    """An open page asks for the run it shows; one that is gone, or was never this screener's, gives the newest."""
    current = services().catalog.current(kind)
    if not run_id or (current and current.id == run_id):
        return current
    older = services().run(run_id)
    return older if older and older.kind == kind else current


def _page(rows: Sequence[Row], query: ScreenQuery) -> tuple[listing.Listing, dict[str, Quote]]:
    """Return the page's rows and the quotes of at least these; an order made of prices needs those of all rows."""
    hub = services().hub
    if listing.sorts_live(query):
        quotes = {quote.key: quote for quote in hub.quotes([row.key for row in rows])}
        return listing.paged(listing.ordered(rows, query, quotes), query), quotes
    page = listing.paged(listing.ordered(rows, query, {}), query)
    return page, {quote.key: quote for quote in hub.quotes([row.key for row in page.rows])}


def _pinned(run: Run | None, query: ScreenQuery, page: listing.Listing) -> ScreenQuery:
    """Return the query of the page's own stream: it names the run and, where prices decided which rows these are, the rows."""
    if run is None:
        return query
    ranks = tuple(sorted(row.rank for row in page.rows)) if listing.sorts_live(query) and page.pages > 1 else ()
    return query.with_(run=run.id, rows=ranks, page=page.page)


def _heading(column: Column, query: ScreenQuery, path: str) -> Heading:
    """A first click sorts numbers from the top and words from A; the next one turns the order round."""
    sorted_by = query.sort == column.name
    descending = not query.descending if sorted_by else not column.text
    aria = ("descending" if query.descending else "ascending") if sorted_by else "none"
    return Heading(column, query.with_(sort=column.name, descending=descending, page=1, run=0, rows=()).url(path), aria)


def _toggled(shown: Screener, query: ScreenQuery, column: Column) -> tuple[str, ...]:
    now = set(query.columns or shown.columns) ^ {column.name} | {"ltp"}
    chosen = tuple(each.name for each in COLUMNS if each.name in now)
    return () if chosen == tuple(each.name for each in COLUMNS if each.name in shown.columns) else chosen
