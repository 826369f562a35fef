"""`/watchlists`: the lists in their order, a form for a new one, and the deleted ones that can be restored."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.watchlists.edits import MOVES
from ltp.core.watchlists.watchlist import MAX_LISTS, MAX_TITLE
from ltp.db.watchlists import lists as stored
from ltp.errors import InputError
from ltp.web import params
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently
from ltp.web.watchlists.lists import PATH

bp = Blueprint("watchlists", __name__)
SOURCE = "watchlist page"


@bp.get(PATH)
def page() -> Response:
    deleted = params.text(params.single(request.args.items(multi=True)), "deleted")
    return _render(deleted=deleted)


@bp.post(PATH)
def create() -> BaseResponse:
    """Make a list and redirect to it; a refusal is shown beside the form."""
    title = request.form.get("title", "")
    try:
        made = patiently(partial(stored.create, services().engine, title, source=SOURCE, **_wait()))
    except InputError as error:
        response = _render(400, title=title, error=f"{error}.")
        response.headers["HX-Push-Url"] = PATH
        return response
    return redirect(f"{PATH}/{made.slug}", 303)


@bp.post(f"{PATH}/<slug>/place")
def place(slug: str) -> BaseResponse:
    how = params.choice(dict(request.form.items()), "move", MOVES, "")
    patiently(partial(stored.move, services().engine, slug, how, **_wait()))
    return redirect(f"{PATH}#l-{slug}", 303)


@bp.post(f"{PATH}/<slug>/delete")
def delete(slug: str) -> BaseResponse:
    patiently(partial(stored.remove, services().engine, slug, **_wait()))
    return redirect(f"{PATH}?deleted={slug}", 303)


@bp.post(f"{PATH}/<slug>/restore")
def restore(slug: str) -> BaseResponse:
    patiently(partial(stored.restore, services().engine, slug, SOURCE, **_wait()))
    return redirect(f"{PATH}/{slug}", 303)


@bp.get(f"{PATH}/<slug>/<any(place, delete, restore):_how>")
def opened(slug: str, _how: str) -> BaseResponse:  # noqa: ARG001
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(PATH, 302)


def _render(status: int = 200, *, title: str = "", error: str = "", deleted: str = "") -> Response:
    engine = services().engine
    gone = patiently(partial(stored.fetch_deleted, engine, **_wait()))
    return make_response(
        render_template(
            "watchlists/index.html",
            lists=patiently(partial(stored.fetch, engine, **_wait())),
            deleted=gone,
            just_deleted=next((each for each in gone if each.slug == deleted), None),
            title=title,
            error=error,
            most=MAX_LISTS,
            longest=MAX_TITLE,
            live=None,
        ),
        status,
    )


def _wait() -> dict[str, Any]:
    return {"busy_timeout_ms": BUSY_TIMEOUT_MS}
