"""Instruments into a list: found by a search on the list's page, or chosen elsewhere by a link with their keys."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.instrument import Instrument, parse_key
from ltp.core.watchlists import edits
from ltp.core.watchlists.watchlist import MAX_ROWS, MAX_TITLE, Line
from ltp.db.watchlists import lists as stored
from ltp.errors import InputError
from ltp.web import params, urls
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently
from ltp.web.watchlists.changes import change
from ltp.web.watchlists.index import SOURCE
from ltp.web.watchlists.lists import PATH, lists

bp = Blueprint("watchlist_add", __name__)
_MAX_FOUND: Final = 30


@bp.get(f"{PATH}/<slug>/find")
def find(slug: str) -> str:
    """Search instruments for a list."""
    given = params.text(params.single(request.args.items(multi=True)), "q")
    watchlist = lists().get(slug)
    found = services().catalog.search(given, _MAX_FOUND)
    return render_template(
        "watchlists/find.html",
        watchlist=watchlist,
        words=given,
        found=found.instruments,
        more=found.more,
        present={line.key for line in watchlist.rows},
        live=None,
    )


@bp.post(f"{PATH}/<slug>/add")
def add(slug: str) -> BaseResponse:
    """Add the instruments of a button; go back to the search if there was one, so that others can be added."""
    found = _instruments(request.form.get("key", ""))
    change(slug, edits.add([each.key for each in found], request.form.get("section", "")))
    searched = request.form.get("q", "")
    return redirect(
        urls.address(f"{PATH}/{slug}/find", [("q", searched)]) if searched else f"{PATH}/{slug}", 303
    )


@bp.get(f"{PATH}/<slug>/add")
def opened(slug: str) -> BaseResponse:
    """Redirect to the search: after a refusal a browser may load this address again."""
    return redirect(f"{PATH}/{slug}/find", 302)


@bp.get(f"{PATH}/add")
def choose() -> Response:
    """Show the lists, for the instruments in the address: `key`, several with commas between."""
    given = params.single(request.args.items(multi=True)).get("key", "")
    found = _instruments(given)
    return _choice(found, left_out=len(set(given.split(","))) - len(found))


@bp.post(f"{PATH}/add")
def add_to_chosen() -> BaseResponse:
    """Add the instruments to the chosen list, or to a new one that is named; a refusal is shown beside the form."""
    found = _instruments(request.form.get("key", ""))
    slug, title = request.form.get("list", ""), request.form.get("title", "")
    keys = [each.key for each in found]
    try:
        if slug:
            change(slug, edits.add(keys))
        else:
            lines = [Line(key) for key in keys]
            made = partial(stored.create, services().engine, title, lines, source=SOURCE)
            slug = patiently(lambda: made(busy_timeout_ms=BUSY_TIMEOUT_MS)).slug
    except InputError as error:
        response = _choice(found, 400, chosen=slug, title=title, error=f"{error}.")
        response.headers["HX-Push-Url"] = urls.address(f"{PATH}/add", [("key", ",".join(keys))], safe=",:")
        return response
    return redirect(f"{PATH}/{slug}", 303)


def _choice(
    found: list[Instrument],
    status: int = 200,
    *,
    chosen: str = "",
    title: str = "",
    error: str = "",
    left_out: int = 0,
) -> Response:
    engine = services().engine
    return make_response(
        render_template(
            "watchlists/add.html",
            found=found,
            keys=",".join(each.key for each in found),
            lists=patiently(partial(stored.fetch, engine, busy_timeout_ms=BUSY_TIMEOUT_MS)),
            chosen=chosen,
            title=title,
            error=error,
            left_out=left_out,
            longest=MAX_TITLE,
            live=None,
        ),
        status,
    )


def _instruments(text: str) -> list[Instrument]:
    """Return the instruments of keys with commas between, without those that the instrument master no longer has.

    Raises:
        InputError: there are too many keys, or one that is none.
        NotFoundError, NotReadError: the master has none of them.
    """
    keys = list(dict.fromkeys(parse_key(each.strip(), "key") for each in text.split(",")))
    if len(keys) > MAX_ROWS:
        raise InputError("key", f"{len(keys):,} keys", f"a list has at most {MAX_ROWS:,} instruments")
    catalog = services().catalog
    found = [instrument for key in keys if (instrument := catalog.instrument(key))]
    if not found:
        raise catalog.instrument_not_found(keys[0])
    return found
