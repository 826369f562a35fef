"""`/screeners/<name>/<segment>/<security_id>`: one row of a run with its plan, its chart and every criterion,
live.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.facts import FACTS
from ltp.core.history.price_history import FAST, Closes, ema
from ltp.core.screener import Outcome, Row, Run
from ltp.db import chart_closes
from ltp.errors import DatabaseError
from ltp.web import params, urls
from ltp.web.live import poll
from ltp.web.live.poll import LiveAddresses
from ltp.web.screens import catalogue
from ltp.web.services import services
from ltp.web.table import chart, neighbours, screen_query, sizes
from ltp.web.table.chart import Chart
from ltp.web.table.columns import BY_NAME, stored_value
from ltp.web.table.rows import fact
from ltp.web.table.screen_query import ScreenQuery
from ltp.web.table.screener import Screener, live_of
from ltp.web.table.values import count_met, short_number, with_unit

bp = Blueprint("detail", __name__)
_LIVE: Final = ("ltp", "chg", "chgp", "volume", "open", "high", "low", "prev")
_PLAN: Final = (
    "entry", "zone", "stop", "target", "r", "quantity", "risk", "allocation_pct", "allocation", "horizon",
)  # fmt: skip
_SESSIONS: Final = 250  # of the chart: a year
_MAX_RUN: Final = 2**53


@bp.get("/screeners/<name>/<segment>/<security_id>")
def row(name: str, segment: str, security_id: str) -> str | BaseResponse:
    shown, query = catalogue.named(name), screen_query.parse(request.args.items(multi=True))
    run = catalogue.run_of(shown, query.run)
    found = _found(run, segment, security_id)
    if run is None or found is None:
        raise services().catalog.not_found(f"row of the {shown.title}", f"{segment}:{security_id}")
    path = f"/screeners/{name}/{found.segment}/{found.security_id}"
    if security_id != str(found.security_id):
        return redirect(urls.with_query(path))
    held, found = services(), sizes.resize_of(run, query.capital, query.risk)(found)
    held.plans.learn(run)
    held.demand([found.key])
    return render_template(
        "screeners/detail.html",
        screener=shown,
        run=run,
        row=found,
        quote=held.hub.quotes([found.key])[0],
        plan=_plan(shown, found),
        sizing=sizes.sizing_of(query.capital, query.risk) if found.quantity else None,
        distances=[(shown.column(column), f"{column}@{run.id}") for column in live_of(found)],
        chart=_chart(shown, run, found),
        criteria=[_told(outcome) for outcome in found.criteria],
        met=count_met(found.criteria),
        facts=_facts(found),
        place=neighbours.place(shown, run, query, found),
        **_addresses(path, run, query),
    )


@bp.get("/screeners/<name>/<segment>/<security_id>/stream")
def stream(name: str, segment: str, security_id: str) -> Response:
    return poll.stream_of(*_fed(name, segment, security_id))


@bp.get("/screeners/<name>/<segment>/<security_id>/poll")
def polled(name: str, segment: str, security_id: str) -> Response:
    return poll.poll_of(*_fed(name, segment, security_id))


def _fed(name: str, segment: str, security_id: str) -> tuple[list[str], list[str]]:
    given = params.single((each, value) for each, value in request.args.items(multi=True) if each != "n")
    run = catalogue.open_run(catalogue.named(name), params.whole(given, "run", _MAX_RUN, 0))
    found = _found(run, segment, security_id)
    if run is None or found is None:
        raise services().catalog.not_found("row", f"{segment}:{security_id}")
    services().plans.learn(run)
    return [found.key], [*_LIVE, *(f"{column}@{run.id}" for column in live_of(found))]


def _found(run: Run | None, segment: str, security_id: str) -> Row | None:
    """Return the row of a key, or of a segment and a symbol."""
    key, symbol = f"{segment}:{security_id}", security_id.upper()
    rows = run.rows if run else ()
    return next(
        (row for row in rows if row.key == key or (row.symbol.upper() == symbol and row.segment == segment)),
        None,
    )


def _addresses(path: str, run: Run, query: ScreenQuery) -> dict[str, Any]:
    """Return what keeps the page current; its own stream names the run, whose plan it must not change under
    the reader.
    """
    ours, moving = f"run={run.id}", query.with_(page=1, rows=(), live=True).url(path)
    return {
        "live": LiveAddresses(f"{path}/stream?{ours}", f"{path}/poll?{ours}") if query.live else None,
        "pause_url": f"{moving}{'&' if '?' in moving else '?'}live=0" if query.live else moving,
    }


def _chart(shown: Screener, run: Run, found: Row) -> Chart:
    """Return the chart of the candles that are there, else of the closes that the run keeps."""
    price = found.facts.get("price")
    try:
        past = chart_closes.fetch(
            services().engine, found.key, run.as_of, price if isinstance(price, float) else None
        )
    except DatabaseError:
        past = None  # busy for a moment; the plan does not wait for its picture
    kept = Closes((), found.spark, ema(found.spark, FAST), ())
    drawn = chart.chart(found, past.last(_SESSIONS) if past else kept, run.as_of, shown.column("stop").label)
    return drawn._replace(svg=Markup(drawn.svg))  # noqa: S704 (made of numbers and of words of ours)


def _plan(shown: Screener, found: Row) -> list[tuple[str, str]]:
    """Return label and text of each part of the plan that there is."""
    held = ((shown.column(name), stored_value(found, name)) for name in _PLAN)
    return [
        (column.label, fact(column.name, each, found.key)) for column, each in held if each not in (None, "")
    ]


def _facts(found: Row) -> list[tuple[str, str, str]]:
    """Return label, text and meaning of each fact that was measured."""
    return [
        (each.label, fact(each.name, found.facts[each.name], found.key), each.meaning)
        for each in FACTS
        if each.name in BY_NAME and found.facts.get(each.name) is not None and each.name != "volume"
    ]


def _told(outcome: Outcome) -> tuple[Outcome, str, str, str]:
    """Return a criterion with its value, its bound and its margin as texts."""
    number = "unknown" if outcome.value is None else with_unit(short_number(outcome.value), outcome.unit)
    margin = (
        "" if outcome.margin is None else ("+" if outcome.margin > 0 else "") + short_number(outcome.margin)
    )
    return outcome, number, with_unit(outcome.bound, outcome.unit), with_unit(margin, outcome.unit)
