"""`/views`: the named views of tables, saved from any table and renamed or deleted here."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.db.views import named_views
from ltp.db.views.named_views import MAX_NAME
from ltp.errors import InputError
from ltp.web import clients, redirect_marks, urls
from ltp.web.services import services
from ltp.web.table import screen_query
from ltp.web.table.links import Carried
from ltp.web.table.views.chooser import BUILT_IN, PARTS, text_of

bp = Blueprint("views", __name__)
PATH: Final = "/views"
_SAVED: Final = "saved"
_SUBJECT: Final = "views"
_MAX_ADDRESS: Final = 4_000


@bp.get(PATH)
def index() -> Response:
    if redirect_marks.signed_at(redirect_marks.from_request(_SAVED), _SUBJECT):
        services().catalog.refresh_views()
    return _render()


@bp.post(PATH)
def save() -> BaseResponse:
    """Save the view of the table at the address `back`, and return to it."""
    name, back = request.form.get("name", ""), request.form.get("back", "")
    try:
        path, pairs = _address(back)
        query = screen_query.parse(pair for pair in pairs if pair[0] in PARTS)
        named_views.save(
            services().engine, name, text_of(query), query.tab, clients.client(), reserved=BUILT_IN
        )
    except InputError as error:
        return _render(error, name, back)
    services().catalog.refresh()
    return redirect(urls.address(path, pairs, safe=","), 303)


@bp.post(f"{PATH}/<slug>/rename")
def rename(slug: str) -> BaseResponse:
    try:
        named_views.rename(services().engine, slug, request.form.get("name", ""))
    except InputError as error:
        return _render(error)
    return _changed()


@bp.post(f"{PATH}/<slug>/delete")
def delete(slug: str) -> BaseResponse:
    named_views.remove(services().engine, slug)
    return _changed()


@bp.get(f"{PATH}/<slug>/<any(rename, delete):how>")
def opened(slug: str, how: str) -> BaseResponse:  # noqa: ARG001
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(PATH, 302)


def _address(back: str) -> tuple[str, Carried]:
    """Return path and parameters of a page of this site.

    Raises:
        InputError: it is none; a redirect to it would leave the site.
    """
    parts = urlsplit(back)
    foreign = (
        parts.scheme or parts.netloc or not back.startswith("/") or back.startswith("//") or "\\" in back
    )
    if foreign or not back.isprintable() or len(back) > _MAX_ADDRESS:
        raise InputError("back", back, "it is the address of a table of this site")
    return parts.path, parse_qsl(parts.query)


def _changed() -> BaseResponse:
    services().catalog.refresh()
    return redirect(urls.address(PATH, [(_SAVED, redirect_marks.sign(_SUBJECT))]), 303)


def _render(error: InputError | None = None, name: str = "", back: str = "") -> Response:
    """Return the page. `error`: of the form with `name`; `back`: the table that was to be saved."""
    body = render_template(
        "views/index.html",
        views=services().catalog.views().values(),
        built_in=BUILT_IN.values(),
        error=error,
        typed=name[:200],
        back=back,
        most=MAX_NAME,
    )
    response = make_response(body, 400 if error else 200)
    if error:
        # The address of a form accepts only POST, so the browser must show another.
        response.headers["HX-Push-Url"] = PATH
    return response
