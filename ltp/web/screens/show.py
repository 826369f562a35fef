"""`/screeners/<slug>`: a run of a screener as a live table, its stream, its polls and its files."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.spec import Spec, params
from ltp.core.screener import KINDS
from ltp.web import urls
from ltp.web.live import poll
from ltp.web.screens.catalogue import find_run_or_current
from ltp.web.screens.page import CUSTOM_PATH, ScreenPage
from ltp.web.screens.saved import load_if_just_saved
from ltp.web.table import export, row_count
from ltp.web.table.prepare import live_cells

bp = Blueprint("screeners", __name__)


class CustomScreen(NamedTuple):
    """The criteria of a custom screen. `slug`: "" if it is not saved. `edit_url`: the form with them."""

    slug: str
    spec: Spec
    edit_url: str


@bp.get("/screeners/<slug>")
def show(slug: str) -> str | BaseResponse:
    load_if_just_saved(slug)
    page = ScreenPage.resolve(slug, request.args.items(multi=True))
    if address := page.shorter_address():
        return redirect(address, 303)
    table = page.table()
    if address := page.unmarked_address():
        return redirect(address, 302)
    return render_template(
        "screeners/show.html",
        screener=page.screener,
        run=page.run,
        table=table,
        evaluation=page.evaluation,
        custom=_custom_screen(page),
        live=table.live,
        pause_url=table.pause_url,
    )


@bp.get("/screeners/<slug>.<any(csv, json):suffix>")
def file(slug: str, suffix: str) -> Response:
    return export.respond(ScreenPage.resolve(slug, request.args.items(multi=True)).table(), suffix)


@bp.get("/screeners/<slug>/stream")
def stream(slug: str) -> Response:
    return poll.stream_of(*_live_cells(slug))


@bp.get("/screeners/<slug>/poll")
def polled(slug: str) -> Response:
    return poll.poll_of(*_live_cells(slug))


@bp.get("/screeners/<slug>/count")
def counted(slug: str) -> Response:
    page = ScreenPage.resolve(slug, request.args.items(multi=True))
    return row_count.respond(lambda: page.query, lambda: page.run)


def _live_cells(slug: str) -> tuple[list[str], list[str]]:
    """Return keys and live columns of the open page. `n` is the number of the poll, not of the table."""
    page = ScreenPage.resolve(slug, (pair for pair in request.args.items(multi=True) if pair[0] != "n"))
    run = find_run_or_current(page.screener, page.query.run)
    return live_cells(page.screener, run, page.query)


def _custom_screen(page: ScreenPage) -> CustomScreen | None:
    if page.kind in KINDS:
        return None
    return CustomScreen(page.screener.slug, page.spec, urls.address(CUSTOM_PATH, params(page.spec)))
