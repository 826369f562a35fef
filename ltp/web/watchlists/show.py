"""`/watchlists/<slug>`: the instruments of a list as a live table, its stream, polls and files.

The table, its controls and its files are those of screeners: the list is a run whose ranks are the places.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.errors import InputError, NotFoundError
from ltp.web import params, urls
from ltp.web.live import poll
from ltp.web.table import export, row_count, screen_query
from ltp.web.table.columns import CANDIDATES
from ltp.web.table.prepare import Table, live_cells, prepare
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.views import named
from ltp.web.watchlists.lists import PATH, ListTable, list_table, lists

bp = Blueprint("watchlist", __name__)
LOOK_EVERY_S: Final = 3  # for changes of an open page's list
_NOT_OF_TABLE: Final = frozenset({"n", "version", *poll.PASSING})
_MAX_VERSION: Final = 2**31 - 1


@bp.get(f"{PATH}/<slug>")
def show(slug: str) -> str | BaseResponse:
    found, query = list_table(slug), _query()
    if not query.is_shortest(request.args.items(multi=True)):
        return redirect(query.without_rows().url(found.screener.path), 303)
    table = _table(found, query)
    kept = query.without_rows().pairs()
    version = ("version", str(found.watchlist.version))
    return render_template(
        "watchlists/show.html",
        watchlist=found.watchlist,
        run=found.run,
        table=table,
        live=table.live if found.run.rows else None,
        pause_url=table.pause_url if found.run.rows else "",
        changes_url=urls.address(f"{found.screener.path}/changes", [*kept, version]),
        look_every_s=LOOK_EVERY_S,
    )


@bp.get(f"{PATH}/<slug>.<any(csv, json):suffix>")
def file(slug: str, suffix: str) -> Response:
    return export.respond(_table(list_table(slug), _query()), suffix)


@bp.get(f"{PATH}/<slug>/stream")
def stream(slug: str) -> Response:
    return poll.stream_of(*_live_cells(slug))


@bp.get(f"{PATH}/<slug>/poll")
def polled(slug: str) -> Response:
    return poll.poll_of(*_live_cells(slug))


@bp.get(f"{PATH}/<slug>/count")
def counted(slug: str) -> Response:
    return row_count.respond(_query, lambda: list_table(slug).run)


@bp.get(f"{PATH}/<slug>/changes")
def changes(slug: str) -> str | tuple[str, int]:
    """Return nothing (204) while an open page shows the newest version, else a fragment that loads its table again."""
    given = params.single(pair for pair in request.args.items(multi=True) if pair[0] == "version")
    version = params.whole(given, "version", _MAX_VERSION, 0)
    try:
        watchlist = lists().get(slug)
    except NotFoundError:
        return render_template("watchlists/_changed.html", page_url="")
    if watchlist.version == version:
        return "", 204
    query = _query()
    pages = max(
        1, -(-len(watchlist.rows) // query.size)
    )  # a shorter list may have lost the page that is open
    page_url = query.with_(page=min(query.page, pages)).url(f"{PATH}/{slug}")
    return render_template("watchlists/_changed.html", page_url=page_url)


def _table(found: ListTable, query: ScreenQuery) -> Table:
    table = prepare(found.screener, found.run, query, found.screener.path)
    titled = (tab._replace(label="List") if tab.name == CANDIDATES else tab for tab in table.tabs)
    return table._replace(tabs=tuple(titled))


def _query() -> ScreenQuery:
    own = [pair for pair in request.args.items(multi=True) if pair[0] not in _NOT_OF_TABLE]
    query = screen_query.parse(named.expanded(own))
    if query.run:
        raise InputError("run", str(query.run), "a watchlist has no runs; leave it out")
    return query


def _live_cells(slug: str) -> tuple[list[str], list[str]]:
    found = list_table(slug)
    return live_cells(found.screener, found.run, _query())
