"""The forms of pins: on `/subscriptions`, and on the page of one instrument, which says why it is on the feed."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.instrument import Instrument, parse_key
from ltp.core.subscriptions.pins import DEFAULT, MAX_NOTE, MAX_PINS, MODES, parse_mode, parse_note
from ltp.core.subscriptions.table import STATES
from ltp.errors import InputError, NotFoundError
from ltp.web.services import services
from ltp.web.subscriptions import page, pinning
from ltp.web.subscriptions.latest import latest, name_of
from ltp.web.subscriptions.lines import line
from ltp.web.subscriptions.query import PATH

bp = Blueprint("pins", __name__)
_FIELDS = ("key", "mode", "note")


@bp.get(f"{PATH}/<segment>/<int:security_id>")
def of_instrument(segment: str, security_id: int) -> str:
    return _render(_find(f"{segment}:{security_id}"))


@bp.post(f"{PATH}/pins")
def pin() -> BaseResponse:
    """Pin the instrument of the form, or change its pin, and redirect to its page; a refusal is shown beside the
    form.
    """
    typed = {name: request.form.get(name, "").strip() for name in _FIELDS}
    try:
        key = pinning.key_of(typed["key"])
        pinning.pin([key], parse_mode(typed["mode"] or DEFAULT), parse_note(typed["note"]))
    except InputError as error:
        response = make_response(page.render({**typed, "error": f"{error}.", "field": error.where}), 400)
        response.headers["HX-Push-Url"] = PATH  # the address of this view shows nothing
        return response
    return redirect(f"{PATH}/{key.replace(':', '/')}", 303)


@bp.post(f"{PATH}/unpin")
def unpin() -> BaseResponse:
    """Unpin the instrument of the form, where it is pinned, and redirect to its page."""
    key = parse_key(request.form.get("key", ""), "key")
    try:
        pinning.unpin([key])
    except NotFoundError:
        pass  # somebody else was faster; the page shows it as it is
    return redirect(f"{PATH}/{key.replace(':', '/')}", 303)


@bp.get(f"{PATH}/pins")
@bp.get(f"{PATH}/unpin")
def opened() -> BaseResponse:
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(PATH, 302)


def _render(shown: Instrument) -> str:
    found, row = latest(wait=True), None
    if found.table is not None:
        row = next((each for each in found.table.rows if each.key == shown.key), None)
    return render_template(
        "subscriptions/instrument.html",
        instrument=shown,
        pin=pinning.pin_of(shown.key),
        trouble=found.trouble,
        line=line(found.table, row, name_of, found.age_s) if found.table and row else None,
        states=STATES,
        modes=MODES,
        most_pins=MAX_PINS,
        most_note=MAX_NOTE,
        live=None,
    )


def _find(key: str) -> Instrument:
    """Raises NotFoundError, NotReadError."""
    catalog = services().catalog
    try:
        known = catalog.instrument(parse_key(key))
    except InputError:
        known = None
    if known is None:
        raise catalog.instrument_not_found(key)
    return known
