"""`/alerts.atom`: the newest firings for feed readers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from ltp.core import atom
from ltp.db.alerts import history
from ltp.errors import NotReadError
from ltp.web.alerts import lines
from ltp.web.alerts.form import PATH
from ltp.web.alerts.lines import FiringLine
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patient

bp = Blueprint("alert_feed", __name__)
MAX_ENTRIES: Final = 50
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)  # `updated` before the first firing, which Atom requires


@bp.get(f"{PATH}.atom")
@patient
def feed() -> BaseResponse:
    if not services().catalog.site_key:  # an entry with another id would be a new one to every reader
        raise NotReadError("The database has")
    found = history.firings(services().engine, most=MAX_ENTRIES, busy_timeout_ms=BUSY_TIMEOUT_MS)
    updated = max((each.noticed_at for each in found), default=_BEGINNING)
    document = atom.render(
        atom.Feed(
            _id("alerts"),
            "Alerts that fired",
            updated,
            "LTP",
            _absolute(PATH),
            _absolute(f"{PATH}.atom"),
            [_entry(each) for each in lines.firing_lines(found)],
        )
    )
    response = Response(document, content_type=f"{atom.MEDIA_TYPE}; charset=utf-8")
    # Readers ask every few minutes: most of their requests are answered by a 304.
    response.headers["Cache-Control"] = "no-cache"
    response.last_modified = updated
    response.add_etag()
    return response.make_conditional(request)


def _entry(line: FiringLine) -> atom.Entry:
    firing = line.fired.firing
    note = Markup("<p>{}</p>").format(line.fired.note) if line.fired.note else Markup("")
    html = Markup("<p>{}: {}, {}, {} {}</p>{}").format(
        line.title, line.words, line.how, line.price, line.at, note
    )
    return atom.Entry(
        # With its instant: a new database begins again with the first id.
        _id("firing", str(firing.id), line.fired.noticed_at.isoformat()),
        f"{line.title}: {line.words}",
        line.fired.noticed_at,
        _absolute(f"{PATH}/{firing.alert_id}"),
        html,
    )


def _id(*names: str) -> str:
    return atom.permanent_id(services().catalog.site_key, *names)


def _absolute(path: str) -> str:
    return request.host_url.rstrip("/") + path
