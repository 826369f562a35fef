"""Screens kept under a name: saving one from its page, and forgetting it. Their pages are those of every
screener.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.spec import PARAMETERS, params
from ltp.db import saved_screens
from ltp.errors import InputError, NotFoundError
from ltp.web import marks
from ltp.web.screens import custom, evaluations, forms
from ltp.web.screens.custom import PATH, SaveForm
from ltp.web.services import services

bp = Blueprint("saved", __name__)


@bp.post(f"{PATH}/save")
def save() -> BaseResponse:
    """Save the screen that was sent, and lead to its page; what is not accepted is said beside the form."""
    pairs = [pair for pair in request.form.items(multi=True) if pair[0] in PARAMETERS]
    name = " ".join(request.form.get("name", "").split())
    slug = request.form.get("slug", "").strip().lower() or saved_screens.slug_of(name)
    form = forms.read(pairs, services().catalog.universes())
    if form.spec is None:
        return custom.shown_page(pairs)
    try:
        if name and not slug:
            raise InputError(
                "Name",
                name,
                "no address can be made of it: use letters a to z or digits, or type an address too",
            )
        saved_screens.save(services().engine, slug, name, form.spec)
    except InputError as error:
        refused = SaveForm(name[:200], request.form.get("slug", "")[:64], forms.sentence(error), error.where)
        answer = custom.shown_page(params(form.spec), refused)
        # A browser's address line must not hold an address that only takes forms.
        answer.headers["HX-Push-Url"] = evaluations.address(PATH, params(form.spec))
        return answer
    services().catalog.refresh()
    mark = marks.made(evaluations.saved_as(slug))
    return redirect(evaluations.address(f"/screeners/{slug}", [(evaluations.SAVED, mark)]), 303)


@bp.get(f"{PATH}/save")
def saved() -> BaseResponse:
    """Lead back: a page that was refused is loaded again by this address."""
    return redirect(PATH, 302)


@bp.post("/screeners/<slug>/delete")
def delete(slug: str) -> BaseResponse:
    """Forget a saved screen; its runs stay until they are old."""
    try:
        saved_screens.remove(services().engine, slug)
    except NotFoundError:
        services().catalog.refresh()
        raise
    services().catalog.refresh()
    return redirect("/screeners", 303)
