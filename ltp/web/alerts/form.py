"""`/alerts/new` and `/alerts/<id>/edit`: the form that makes an alert, with the distance from now."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.alerts.alert import EACH, KEY, REPEATS, UNIVERSE, Alert, Terms
from ltp.core.alerts.grammar import EVENTS, LEVELS, LIVE
from ltp.core.alerts.preview import Preview
from ltp.core.alerts.rule import parse_rule
from ltp.core.alerts.words import rule_words
from ltp.core.criteria.facts import FACTS
from ltp.core.criteria.vocabulary import FUNCTIONS
from ltp.core.market.holidays import PHASES
from ltp.core.market.kinds import USUAL
from ltp.db.alerts import history, rules
from ltp.errors import ConflictError, DatabaseError, InputError, LimitError
from ltp.web import clients, market
from ltp.web.alerts import fields, prospect, targets
from ltp.web.alerts.fields import Typed
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, WRITE_MS, patient

bp = Blueprint("alert_form", __name__)
PATH: Final = "/alerts"
_ID: Final = f"int(max={rules.MAX_ID}):alert_id"
_REPEATS: Final = {"once": "Once", "daily": "Once a day", "each": "Each time"}
_CHECK: Final = "check"  # the parameter of the button that shows the distance and stores nothing


@bp.get(f"{PATH}/new")
def new() -> Response:
    """Show the form, with what the address fills in; `copy`: of which alert."""
    copied = request.args.get("copy", "")
    if copied.isascii() and copied.isdigit() and int(copied) <= rules.MAX_ID:
        stored = rules.fetch(services().engine, int(copied), busy_timeout_ms=BUSY_TIMEOUT_MS)
        return _render(fields.of_alert(stored, targets.symbol_of)._replace(version=""))
    return _shown(fields.typed(request.args))


@bp.get(f"{PATH}/<{_ID}>/edit")
@patient
def edit(alert_id: int) -> Response:
    alert = rules.fetch(services().engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)
    if _CHECK in request.args:
        return _shown(fields.typed(request.args), alert)
    return _render(fields.of_alert(alert, targets.symbol_of), alert)


@bp.get(f"{PATH}/check")
def check() -> str:
    """Return what the page shows beside a form while it is typed."""
    form, preview = _checked(fields.typed(request.args))
    return render_template("alerts/_preview.html", form=form, preview=preview, words=_words(form))


@bp.post(PATH)
def create() -> BaseResponse:
    form = fields.typed(request.form)
    try:
        terms = targets.accepted(fields.terms(form, targets.key_of))
        made = rules.create(services().engine, terms, clients.client(), busy_timeout_ms=WRITE_MS)
    except (InputError, LimitError) as error:
        return _refused(form, error)
    return redirect(f"{PATH}/{made.id}", 303)


@bp.post(f"{PATH}/<{_ID}>/edit")
def change(alert_id: int) -> BaseResponse:
    form, engine = fields.typed(request.form), services().engine
    alert = rules.fetch(engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)
    version = int(form.version) if form.version.isascii() and form.version.isdigit() else 0
    try:
        terms = targets.accepted(fields.terms(form, targets.key_of))
        rules.change(engine, alert_id, terms, version, busy_timeout_ms=WRITE_MS)
    except InputError as error:
        return _refused(form, error, alert)
    except ConflictError as error:
        # What was typed stays, on top of the version that the next try replaces.
        now = rules.fetch(engine, alert_id, busy_timeout_ms=BUSY_TIMEOUT_MS)
        sentence = f"Somebody changed this alert meanwhile: {_summary(now.terms)}. Save again to replace that"
        return _refused(form._replace(version=str(now.version)), error, now, sentence)
    return redirect(f"{PATH}/{alert_id}", 303)


def _summary(terms: Terms) -> str:
    return f"{targets.title_of(terms.target)}, {terms.rule}, {terms.repeat}"


def _refused(form: Typed, error: Exception, alert: Alert | None = None, sentence: str = "") -> Response:
    if isinstance(error, InputError):
        response = _render(form.refused(error), alert, 400)
    else:
        status = 503 if isinstance(error, LimitError) else 409
        response = _render(form._replace(error=f"{sentence or error}."), alert, status)
    if isinstance(error, LimitError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    # The address of this view accepts only POST, so the browser must show another.
    response.headers["HX-Push-Url"] = f"{PATH}/{alert.id}/edit" if alert else f"{PATH}/new"
    return response


def _shown(form: Typed, alert: Alert | None = None) -> Response:
    """Render a form that nobody has sent yet: errors only where its check was asked for."""
    asked = _CHECK in request.args
    checked, preview = _checked(form)
    return _render(checked if asked else form, alert, preview=preview)


def _checked(form: Typed) -> tuple[Typed, Preview | None]:
    """Return the form with its error, and how far the price is; None without a rule on one instrument."""
    try:
        terms = targets.accepted(fields.terms(form, targets.key_of))
    except (InputError, DatabaseError) as error:
        refused = form.refused(error) if isinstance(error, InputError) else form
        return refused, None
    if terms.target.kind != KEY:
        return form, None
    return form, prospect.prospect(parse_rule(terms.rule), terms.target.name)


def _words(form: Typed) -> str:
    """Return the rule that the fields mean, in words; "" while they mean none."""
    try:
        return rule_words(parse_rule(fields.rule_text(form, targets.key_of)))
    except InputError:
        return ""


def _render(
    form: Typed, alert: Alert | None = None, status: int = 200, *, preview: Preview | None = None
) -> Response:
    if preview is None and not form.error:
        preview = _checked(form)[1]
    catalog = services().catalog
    body = render_template(
        "alerts/form.html",
        form=form,
        alert=alert,
        preview=preview,
        words=_words(form),
        channels=_channels(),
        price_signs=fields.PRICE_SIGNS,
        signs=fields.SIGNS,
        levels=LEVELS,
        screens=targets.screens(),
        watches={f"{UNIVERSE} {each.name}": f"each of {each.title}" for each in catalog.universes().values()}
        | {f"screen {slug}": f"each row of {title}" for slug, title in targets.screens().items()},
        repeats={each: _REPEATS[each] for each in REPEATS},
        each_time=EACH,
        phases={each: market.phase_words({"": each}, "") for each in PHASES},
        usual=USUAL,
        live_names=LIVE,
        events=EVENTS,
        facts=FACTS,
        functions=FUNCTIONS.values(),
        live=None,
    )
    return make_response(body, status)


def _channels() -> dict[str, str]:
    try:
        found = history.channels(services().engine, busy_timeout_ms=BUSY_TIMEOUT_MS)
    except DatabaseError:  # the form works without
        return {}
    return {str(id_): name for id_, name in found.items()}
