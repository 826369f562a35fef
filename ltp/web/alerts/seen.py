"""The notices of alerts on every page: what one looks like, and the button that dismisses them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.alerts.alert import EVENT, TRADE
from ltp.core.alerts.notice import Notice
from ltp.core.alerts.words import how_words
from ltp.core.trading_day import IST
from ltp.db.alerts import history
from ltp.db.alerts.history import Fired
from ltp.db.engine import Engine
from ltp.errors import DatabaseError
from ltp.hub.notices.kept import KEPT
from ltp.web.alerts.form import PATH
from ltp.web.alerts.lines import price_of, words_of
from ltp.web.live import notices, poll
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

bp = Blueprint("alert_notices", __name__)
_LONGEST = 160  # characters of a note on a notice
_MARKUP = Markup(
    '<p><a href="{path}/{alert}"><b>{symbol}</b> {words}</a></p>'
    '<p class="meta">{how}, <time datetime="{iso}">{at:%H:%M:%S}</time></p>{note}'
    '<input type="hidden" name="id" value="{id}">'
)


def draw(notice: Notice) -> str:
    """Return the markup of a notice. What people wrote is text in it."""
    local, price = notice.at.astimezone(IST), price_of(notice.ltp)
    how = how_words(notice.how, None, None)
    if notice.how == EVENT:
        how = notice.detail or "event"
    elif price:
        how = f"{how} {price}" if notice.how == TRADE else f"{price}, {how}"
    note = notice.note if len(notice.note) <= _LONGEST else f"{notice.note[: _LONGEST - 1]}…"
    return _MARKUP.format(
        path=PATH,
        alert=notice.alert,
        symbol=notice.symbol or notice.key or "The market",
        words=words_of(notice.rule),
        how=how,
        iso=notice.at.isoformat(timespec="milliseconds"),
        at=local,
        note=Markup('<p class="said">{}</p>').format(note) if note else "",
        id=notice.id,
    )


def stored(engine: Engine) -> list[tuple[Notice, float]]:
    """Return the newest firings in SQL, oldest first, with the seconds at which they were noticed; none if SQL
    cannot be read.
    """
    try:
        found = history.firings(engine, most=KEPT, busy_timeout_ms=BUSY_TIMEOUT_MS)
    except DatabaseError:  # the next gap, or the page of alerts, has them
        return []
    return [(_notice(each), each.noticed_at.timestamp()) for each in reversed(found)]


@bp.post(f"{PATH}/seen")
def dismiss() -> BaseResponse:
    """Note that the notices in the form were seen, and return those that are left."""
    ids = [int(each) for each in request.form.getlist("id") if each.isascii() and each.isdigit()]
    notices.look(min(max(ids, default=0), services().hub.notices.newest))
    if request.headers.get("HX-Request-Type") == "partial":
        return make_response(render_template("alerts/_notices.html"))
    return redirect(_referring_page(), 303)


@bp.get(f"{PATH}/stream")
def stream() -> Response:
    """Follow the notices alone, for a page without prices."""
    return poll.stream_of((), ())


@bp.get(f"{PATH}/poll")
def polled() -> Response:
    return poll.poll_of((), ())


@bp.get(f"{PATH}/notices")
def unseen() -> str:
    """Return the notices that the reader has not seen, for a page that was opened in place of another."""
    return render_template("alerts/_notices.html")


@bp.get(f"{PATH}/seen")
def opened() -> BaseResponse:
    return redirect(PATH, 302)


def _referring_page() -> str:
    """Return the page on which the button was; `/alerts` where the browser does not say, or it is of another site."""
    page = urlsplit(request.referrer or "")
    own = page.netloc == request.host and re.match(r"/(?!/)", page.path)
    return f"{page.path}?{page.query}".rstrip("?") if own else PATH


def _notice(fired: Fired) -> Notice:
    each = fired.firing
    return Notice(
        each.id,
        each.alert_id,
        each.key,
        fired.symbol,
        fired.rule,
        fired.note,
        each.at,
        each.ltp,
        each.how,
        each.detail,
    )
