"""`/alerts`: all alerts with what can be done to them, and below them the history of firings."""

from __future__ import annotations

from typing import Final, NamedTuple

from flask import Blueprint, render_template, request

from ltp.core.alerts.alert import STATES
from ltp.db.alerts import history, rules
from ltp.db.alerts.rules import Choice
from ltp.errors import InputError
from ltp.web import params, urls
from ltp.web.alerts import lines, prospect, targets
from ltp.web.alerts.form import PATH
from ltp.web.live import notices
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS, patient

bp = Blueprint("alerts", __name__)
SIZE: Final = 50  # alerts of a page
FIRINGS: Final = 50
_MAX_PAGE: Final = 1_000
_ANY: Final = "any"
_SHORTEST: Final = 2  # characters of a name that may be the symbol of an instrument


class Query(NamedTuple):
    """`before`: the id of the firing after the last one that is shown, 0 for the newest."""

    state: str
    words: str
    page: int
    before: int

    def url(self, **changed: str | int) -> str:
        new = self._replace(**changed)  # type: ignore[arg-type]
        pairs = [("state", new.state)] if new.state != _ANY else []
        pairs += [("q", new.words)] if new.words else []
        pairs += [("page", str(new.page))] if new.page > 1 else []
        pairs += [("before", str(new.before))] if new.before else []
        return urls.address(PATH, pairs)


@bp.get(PATH)
@patient
def page() -> str:
    query, engine = _query(), services().engine
    states = (query.state,) if query.state != _ANY else ()
    choice = Choice(states, words=query.words, names=_names(query.words))
    found = rules.listed(
        engine, choice, first=(query.page - 1) * SIZE, most=SIZE, busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    ids = [each.id for each in found.alerts]
    last = history.last_firings(engine, ids, busy_timeout_ms=BUSY_TIMEOUT_MS)
    fired = history.firings(
        engine, before=query.before or None, most=FIRINGS + 1, busy_timeout_ms=BUSY_TIMEOUT_MS
    )
    counts = rules.counts(engine, busy_timeout_ms=BUSY_TIMEOUT_MS)
    notices.look(0 if query.before else max((each.firing.id for each in fired[:1]), default=0))
    pages = max(1, -(-found.total // SIZE))
    return render_template(
        "alerts/index.html",
        query=query,
        lines=lines.alert_lines(found.alerts, prospect.prospects(found.alerts), last),
        count=found.total,
        total=sum(counts.values()),
        tabs=[
            (_ANY, query.url(state=_ANY, page=1), sum(counts.values())),
            *((each, query.url(state=each, page=1), counts.get(each, 0)) for each in STATES),
        ],
        pages=pages,
        previous=query.url(page=query.page - 1) if query.page > 1 else "",
        following=query.url(page=query.page + 1) if query.page < pages else "",
        firings=lines.firing_lines(fired[:FIRINGS]),
        older=query.url(before=fired[FIRINGS - 1].firing.id) if len(fired) > FIRINGS else "",
        newest=query.url(before=0) if query.before else "",
        live=None,
    )


def _query() -> Query:
    given = params.single(request.args.items(multi=True))
    return Query(
        params.choice(given, "state", (_ANY, *STATES), _ANY),
        params.text(given, "q"),
        params.whole(given, "page", _MAX_PAGE, 1),
        params.whole(given, "before", rules.MAX_ID, 0),
    )


def _names(words: str) -> tuple[str, ...]:
    """Return the keys that typed words are the symbol of: an alert holds the key alone."""
    if len(words) < _SHORTEST:
        return ()
    try:
        return (targets.key_of(words, "q"),)
    except InputError:
        return ()
