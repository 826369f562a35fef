"""Saved screens: saving a custom screen under a name, deleting it, and finding one that was just saved."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.spec import PARAMETERS, params
from ltp.db import saved_screens
from ltp.errors import InputError, NotFoundError
from ltp.web import redirect_marks, urls
from ltp.web.screens import custom, forms
from ltp.web.screens.custom import SaveForm
from ltp.web.screens.evaluation_state import SAVED
from ltp.web.screens.page import CUSTOM_PATH
from ltp.web.services import services

bp = Blueprint("saved", __name__)


@bp.post(f"{CUSTOM_PATH}/save")
def save() -> BaseResponse:
    """Save the screen of the form and redirect to its page; a refusal is shown beside the form."""
    pairs = [pair for pair in request.form.items(multi=True) if pair[0] in PARAMETERS]
    name = " ".join(request.form.get("name", "").split())
    slug = request.form.get("slug", "").strip().lower() or saved_screens.slug_of(name)
    form = forms.parse(pairs, services().catalog.universes())
    if form.spec is None:
        return custom.render_form(form, 400)
    try:
        if name and not slug:
            accepted = "no address can be made of it: use letters a to z or digits, or type an address too"
            raise InputError("Name", name, accepted)
        saved_screens.save(services().engine, slug, name, form.spec)
    except InputError as error:
        typed_slug = request.form.get("slug", "")[:64]
        refused = SaveForm(name[:200], typed_slug, forms.sentence(error), error.where)
        response = custom.render_save_refusal(form.spec, refused)
        # The address of this view accepts only POST, so the browser must show another.
        response.headers["HX-Push-Url"] = urls.address(CUSTOM_PATH, params(form.spec))
        return response
    services().catalog.refresh()
    mark = redirect_marks.sign(subject_of(slug))
    return redirect(urls.address(f"/screeners/{slug}", [(SAVED, mark)]), 303)


@bp.get(f"{CUSTOM_PATH}/save")
def save_opened() -> BaseResponse:
    """Redirect to the form: after a refusal a browser may load this address again."""
    return redirect(CUSTOM_PATH, 302)


@bp.post("/screeners/<slug>/delete")
def delete(slug: str) -> BaseResponse:
    """Delete a saved screen; its runs stay until they expire."""
    try:
        saved_screens.remove(services().engine, slug)
    except NotFoundError:
        services().catalog.refresh()
        raise
    services().catalog.refresh()
    return redirect("/screeners", 303)


def load_if_just_saved(slug: str) -> None:
    """Read the saved screens once if the present address proves that another process has just saved this one.

    Raises:
        DatabaseError: they cannot be read.
    """
    catalog = services().catalog
    if catalog.screen(slug) is None and redirect_marks.signed_at(
        redirect_marks.from_request(SAVED), subject_of(slug)
    ):
        catalog.refresh_screens()


def subject_of(slug: str) -> str:
    """Return the subject of the mark of a saved screen."""
    return f"{SAVED} {slug}"
