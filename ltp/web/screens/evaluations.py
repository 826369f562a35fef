"""`<page>/run` requests the evaluation of a screen, `<page>/progress` is polled by its page meanwhile."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.web import urls
from ltp.web.screens.catalogue import CUSTOM
from ltp.web.screens.evaluation_state import ASKED, pairs_for_next_run
from ltp.web.screens.page import ScreenPage

bp = Blueprint("evaluations", __name__)


@bp.post("/screeners/<slug>/run")
def run(slug: str) -> BaseResponse:
    """Request an evaluation and redirect to the page of the screen, which shows its progress."""
    page = _resolve(slug)
    page.request_evaluation()
    return redirect(urls.address(page.path, [*pairs_for_next_run(), (ASKED, page.mark)]), 303)


@bp.get("/screeners/<slug>/run")
def run_opened(slug: str) -> BaseResponse:
    """Redirect to the page: after a refused request the browser has this address, and may load it again."""
    return redirect(urls.address(_resolve(slug).path, request.args.items(multi=True)), 302)


@bp.get("/screeners/<slug>/progress")
def progress(slug: str) -> str:
    """Return the progress as a fragment; after the end, one that makes the page load its new run."""
    page = _resolve(slug)
    return render_template("screeners/_progress.html", evaluation=page.evaluation, polled=True)


def _resolve(slug: str) -> ScreenPage:
    pairs = request.args.items(multi=True)
    return ScreenPage.resolve_custom(pairs) if slug == CUSTOM else ScreenPage.resolve(slug, pairs)
