"""`/screeners/<name>`: a run of a screener as a live table, its stream and its polls, and the same as a file."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.web.live import poll
from ltp.web.screens import catalogue, custom, evaluations
from ltp.web.table import export, prepare, screen_query

bp = Blueprint("screeners", __name__)


@bp.get("/screeners/<name>")
def screener(name: str) -> str | BaseResponse:
    evaluations.known(name)
    shown, pairs = catalogue.named(name), list(request.args.items(multi=True))
    query = screen_query.parse(pairs)
    if not query.said_by(pairs):
        return redirect(query.short().url(shown.path, evaluations.marks_of(pairs)), 303)
    prepared = _prepared(name)
    evaluation = evaluations.of(prepared.screener.kind, prepared.path)
    return evaluations.over(evaluation) or render_template(
        "screeners/index.html",
        screener=prepared.screener,
        run=prepared.run,
        table=prepared,
        evaluation=evaluation,
        own=custom.own(prepared.screener),
        live=prepared.live,
        pause_url=prepared.pause_url,
    )


@bp.get("/screeners/<name>.<any(csv, json):suffix>")
def file(name: str, suffix: str) -> Response:
    return export.respond(_prepared(name), suffix)


@bp.get("/screeners/<name>/stream")
def stream(name: str) -> Response:
    return poll.stream_of(*_fed(name))


@bp.get("/screeners/<name>/poll")
def polled(name: str) -> Response:
    return poll.poll_of(*_fed(name))


def _prepared(name: str) -> prepare.Table:
    shown = catalogue.named(name)
    query = screen_query.parse(request.args.items(multi=True))
    return prepare.prepare(shown, catalogue.run_of(shown, query.run), query, shown.path)


def _fed(name: str) -> tuple[list[str], list[str]]:
    """Return the keys and live columns of the page with the present query."""
    shown = catalogue.named(name)
    query = screen_query.parse((name, value) for name, value in request.args.items(multi=True) if name != "n")
    return prepare.fed(shown, catalogue.open_run(shown, query.run), query)
