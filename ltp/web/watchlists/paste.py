"""`/watchlists/<slug>/paste`: a pasted list or CSV. Lines that name no instrument are shown by number, and the others are
added only when the page with these has been confirmed.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.watchlists import edits, pasted
from ltp.core.watchlists.pasted import Pasted
from ltp.core.watchlists.watchlist import MAX_ROWS
from ltp.db.watchlists.named import finder
from ltp.errors import InputError
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patiently
from ltp.web.watchlists.changes import change
from ltp.web.watchlists.lists import PATH, lists

bp = Blueprint("watchlist_paste", __name__)
MAX_BODY: Final = 512 * 1024  # a thousand lines with notes, percent-encoded
_SHOWN: Final = 200  # lines that are not taken


@bp.get(f"{PATH}/<slug>/paste")
def page(slug: str) -> Response:
    return _render(slug)


@bp.post(f"{PATH}/<slug>/paste")
def paste(slug: str) -> BaseResponse:
    request.max_content_length = request.max_form_memory_size = MAX_BODY
    text = request.form.get("list", "")
    try:
        named = pasted.parse(text)
        find = patiently(
            lambda: finder(
                services().engine,
                {each for line in named for each in line.texts},
                busy_timeout_ms=BUSY_TIMEOUT_MS,
            )
        )
        found = pasted.lines_of(named, find)
        wrong = [each for each in found.bad if each.reason != pasted.TWICE]
        if not wrong or (request.form.get("sure") and found.lines):
            change(slug, edits.append(found.lines))
            return redirect(f"{PATH}/{slug}", 303)
    except InputError as error:
        return _render(slug, text, error=f"{error}.", status=400)
    return _render(slug, text, found)


def _render(
    slug: str, text: str = "", found: Pasted | None = None, *, error: str = "", status: int = 200
) -> Response:
    response = make_response(
        render_template(
            "watchlists/paste.html",
            watchlist=lists().get(slug),
            text=text,
            good=sum(not line.is_section for line in found.lines) if found else 0,
            bad=found.bad[:_SHOWN] if found else (),
            more=max(0, len(found.bad) - _SHOWN) if found else 0,
            error=error,
            most=MAX_ROWS,
            live=None,
        ),
        status,
    )
    if request.method == "POST":  # this address takes both
        response.headers["HX-Push-Url"] = f"{PATH}/{slug}/paste"
    return response
