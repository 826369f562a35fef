"""`/alerts/channels`: where alerts are sent to outside of the pages, with a test of each. Targets are shown masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, cast

from flask import Blueprint, Flask, Response, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.alerts.channel import (
    KINDS,
    MAIL,
    MAX_CHANNELS,
    MAX_NAME,
    MAX_SECRET,
    MAX_TARGET,
    MOST_PER_MINUTE,
    PER_MINUTE,
    SERVICE,
    SERVICES,
    WEBHOOK,
    Channel,
    service_title,
)
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S
from ltp.db.alerts import channels, deliveries
from ltp.db.alerts.channels import MAX_ID, Wanted
from ltp.db.alerts.deliveries import Delivery
from ltp.errors import InputError, NotFoundError
from ltp.web import params
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, WRITE_MS

bp = Blueprint("alert_channels", __name__)
PATH: Final = "/alerts/channels"
EXTENSION: Final = "ltp_alert_channels"
_ONE: Final = f"{PATH}/<int(max={MAX_ID}):channel_id>"
_MAX_TYPED: Final = 200  # characters of a name that are shown again
_TEST, _ON, _OFF, _DELETE = "test", "on", "off", "delete"


class Rules(NamedTuple):
    """`internal`: targets inside of this network are allowed. `has_mail_server`: SMTP_URL is set."""

    internal: bool
    has_mail_server: bool


class Form(NamedTuple):
    """What was typed; a target and a secret are never shown again. `of`: a kind, for a new channel, or the id of the
    one that is changed. `error`: why `field` is refused, "" where nothing is.
    """

    of: str = ""
    name: str = ""
    per_minute: str = str(PER_MINUTE)
    error: str = ""
    field: str = ""


class Line(NamedTuple):
    """A channel on the page, with its newest message."""

    channel: Channel
    kind: str
    newest: Delivery | None


def install(app: Flask, rules: Rules) -> None:
    app.extensions[EXTENSION] = rules


@bp.get(PATH)
def page() -> Response:
    given = params.single(request.args.items(multi=True))
    changed = params.whole(given, "change", MAX_ID, 0)
    if not changed:
        return _render(Form())
    found = channels.fetch(services().engine, changed, busy_timeout_ms=BUSY_TIMEOUT_MS)
    return _render(Form(str(changed), found.name, str(found.per_minute)))


@bp.post(PATH)
def add() -> BaseResponse:
    """Store the channel of the form; a refusal is shown beside the form."""
    given = request.form
    kind = given.get("kind", "")
    form = _typed(kind if kind in KINDS else WEBHOOK)

    def create() -> Channel:
        wanted = Wanted(given.get("name", ""), kind, given.get("target", ""), given.get("secret", ""))
        wanted = wanted._replace(per_minute=_per_minute())
        return channels.create(
            services().engine, wanted, internal=_rules().internal, busy_timeout_ms=WRITE_MS
        )

    return _done(create, form)


@bp.post(_ONE)
def change(channel_id: int) -> BaseResponse:
    """Change name, limit and, if one is typed, the target."""
    given = request.form

    def changed() -> Channel:
        return channels.change(
            services().engine,
            channel_id,
            given.get("name", ""),
            _per_minute(),
            target=given.get("target", ""),
            secret=given.get("secret", ""),
            internal=_rules().internal,
            busy_timeout_ms=WRITE_MS,
        )

    return _done(changed, _typed(str(channel_id)))


@bp.post(f"{_ONE}/<how>")
def act(channel_id: int, how: str) -> BaseResponse:
    """Test, switch or delete a channel."""
    engine = services().engine
    if how == _TEST:
        deliveries.queue_test(engine, channel_id, busy_timeout_ms=WRITE_MS)
    elif how in (_ON, _OFF):
        channels.switch(engine, channel_id, on=how == _ON, busy_timeout_ms=WRITE_MS)
    elif how == _DELETE:
        channels.remove(engine, channel_id, busy_timeout_ms=WRITE_MS)
        return redirect(f"{PATH}#channels", 303)
    else:
        raise NotFoundError("button", how)
    return redirect(f"{PATH}#c-{channel_id}", 303)


@bp.get(_ONE)
@bp.get(f"{_ONE}/<how>")
def opened(channel_id: int, how: str = "") -> BaseResponse:  # noqa: ARG001
    """Redirect to the page: after a refusal a browser may load these addresses again."""
    return redirect(PATH, 302)


def _done(action: Callable[[], Channel], form: Form) -> BaseResponse:
    """Carry out a form and redirect to its channel; show a refusal beside the form."""
    try:
        channel = action()
    except InputError as error:
        response = _render(form._replace(error=f"{error}.", field=error.where), 400)
        # The address of this view accepts only POST, so the browser must show another.
        response.headers["HX-Push-Url"] = PATH
        return response
    return redirect(f"{PATH}#c-{channel.id}", 303)


def _render(form: Form, status: int = 200) -> Response:
    """Render the page. Raises DatabaseError."""
    engine, rules = services().engine, _rules()
    newest = deliveries.newest_of_channels(engine, busy_timeout_ms=BUSY_TIMEOUT_MS)
    found = channels.all_of(engine, busy_timeout_ms=BUSY_TIMEOUT_MS)
    lines = [Line(each, _kind(each), newest.get(each.id)) for each in found]
    page = render_template(
        "alerts/channels.html",
        lines=lines,
        changed=next((each for each in found if str(each.id) == form.of), None),
        moving=any(line.newest is not None and line.newest.open for line in lines),
        worker_alive=services().hub.link_age_s <= LINK_DEAD_AFTER_S,
        form=form,
        rules=rules,
        webhook=WEBHOOK,
        mail=MAIL,
        service=SERVICE,
        schemes=", ".join(SERVICES),
        most=MAX_CHANNELS,
        most_name=MAX_NAME,
        most_target=MAX_TARGET,
        most_secret=MAX_SECRET,
        most_per_minute=MOST_PER_MINUTE,
        per_minute=PER_MINUTE,
        live=None,
    )
    return make_response(page, status)


def _kind(channel: Channel) -> str:
    if channel.kind == SERVICE:
        return service_title(channel.target)
    return "signed webhook" if channel.secret else channel.kind


def _typed(of: str) -> Form:
    name, per_minute = request.form.get("name", ""), request.form.get("per_minute", "")
    return Form(of, name[:_MAX_TYPED], per_minute[:_MAX_TYPED])


def _per_minute() -> int:
    given = {"per_minute": text} if (text := request.form.get("per_minute", "").strip()) else {}
    return params.whole(given, "per_minute", MOST_PER_MINUTE, PER_MINUTE)


def _rules() -> Rules:
    return cast(Rules, current_app.extensions[EXTENSION])
