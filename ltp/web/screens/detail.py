"""`/screeners/<slug>/<segment>/<security_id>`: one row of a run, live, with its plan, chart and criteria."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.criteria.facts import FACTS
from ltp.core.screener import Outcome, Row, Run
from ltp.hub.insets import Inset
from ltp.web import params, urls
from ltp.web.charts import query as chart_query
from ltp.web.live import poll
from ltp.web.live.poll import LiveAddresses
from ltp.web.screens.catalogue import find_run_or_current, find_screener
from ltp.web.screens.page import ScreenPage
from ltp.web.screens.row_chart import USUAL, row_chart, row_inset
from ltp.web.services import services
from ltp.web.table import neighbours, sizes
from ltp.web.table.columns import BY_NAME, stored_value
from ltp.web.table.rows import fact
from ltp.web.table.screen_query import SEVERAL, ScreenQuery
from ltp.web.table.screener import Screener, live_plan_columns
from ltp.web.table.sparkline import sparkline
from ltp.web.table.values import count_met, short_number, with_unit

bp = Blueprint("detail", __name__)
_LIVE: Final = ("ltp", "chg", "chgp", "volume", "open", "high", "low", "prev")
_PLAN: Final = (
    "entry", "zone", "stop", "target", "r", "quantity", "risk", "allocation_pct", "allocation", "horizon",
)  # fmt: skip
_MAX_RUN: Final = 2**53


class CriterionLine(NamedTuple):
    """A criterion with its value, bound and margin as texts."""

    outcome: Outcome
    value: str
    bound: str
    margin: str


class FactLine(NamedTuple):
    label: str
    text: str
    meaning: str


@bp.get("/screeners/<slug>/<segment>/<security_id>")
def show(slug: str, segment: str, security_id: str) -> str | BaseResponse:
    page = ScreenPage.resolve(slug, request.args.items(multi=True))
    run, row = _find_row(page.run, segment, security_id, f"row of the {page.screener.title}")
    path = f"/screeners/{slug}/{row.segment}/{row.security_id}"
    if security_id != str(row.security_id):
        return redirect(urls.with_query(path))
    query, shared = page.query, services()
    # The filters of the list come several times, and the chart has no parameter of that name.
    given = params.single(pair for pair in request.args.items(multi=True) if pair[0] not in SEVERAL)
    charted, kept = chart_query.parse(given, USUAL), chart_query.chart_pairs(given)
    row = sizes.resize_of(run, query.capital, query.risk)(row)
    shared.plans.learn(run)
    shared.demand([row.key])
    return render_template(
        "screeners/detail.html",
        screener=page.screener,
        run=run,
        row=row,
        quote=shared.hub.quotes([row.key])[0],
        plan=_plan(page.screener, row),
        sizing=sizes.sizing_of(query.capital, query.risk) if row.quantity else None,
        distances=[(page.screener.column(name), f"{name}@{run.id}") for name in live_plan_columns(row)],
        chart=row_chart(page.screener, run, row, path, given, charted),
        spark=Markup(sparkline(row.spark)),  # noqa: S704 (only numbers and fixed words)
        criteria=[_criterion_line(outcome) for outcome in row.criteria],
        met=count_met(row.criteria),
        facts=_facts(row),
        place=neighbours.place_in_list(page.screener, run, query, row, kept),
        **_live_addresses(path, run, query, kept),
    )


@bp.get("/screeners/<slug>/<segment>/<security_id>/stream")
def stream(slug: str, segment: str, security_id: str) -> Response:
    return poll.stream_of(*_live_cells(slug, segment, security_id))


@bp.get("/screeners/<slug>/<segment>/<security_id>/poll")
def polled(slug: str, segment: str, security_id: str) -> Response:
    return poll.poll_of(*_live_cells(slug, segment, security_id))


def _live_cells(slug: str, segment: str, security_id: str) -> tuple[list[str], list[str], *tuple[Inset, ...]]:
    """Return the key, the live columns and the chart of the open page of a row."""
    given = params.single(
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in {*poll.PASSING, *SEVERAL}
    )
    screener, run_id = find_screener(slug), params.whole(given, "run", _MAX_RUN, 0)
    run, row = _find_row(find_run_or_current(screener, run_id), segment, security_id, "row")
    services().plans.learn(run)
    columns = [*_LIVE, *(f"{column}@{run.id}" for column in live_plan_columns(row))]
    chart = row_inset(screener, run, row, chart_query.parse(given, USUAL))
    return ([row.key], columns, chart) if chart else ([row.key], columns)


def _find_row(run: Run | None, segment: str, security_id: str, described: str) -> tuple[Run, Row]:
    """Return a run with its row of an id or of a symbol.

    Args:
        described: names the row in the error.

    Raises:
        NotFoundError: there is no run, or it has no such row.
    """
    key, symbol = f"{segment}:{security_id}", security_id.upper()
    for row in run.rows if run else ():
        if run and (row.key == key or (row.symbol.upper() == symbol and row.segment == segment)):
            return run, row
    raise services().catalog.not_found(described, key)


def _live_addresses(
    path: str, run: Run, query: ScreenQuery, kept: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the live addresses. They name the run: the next run would change the plan on the open page.

    Args:
        kept: the parameters of the chart.
    """
    unpaused = query.with_(page=1, rows=(), live=True)
    if not query.live:
        return {"live": None, "pause_url": unpaused.url(path, kept)}
    shown = [("run", str(run.id)), *kept]
    return {
        "live": LiveAddresses(urls.address(f"{path}/stream", shown), urls.address(f"{path}/poll", shown)),
        "pause_url": urls.address(path, [*kept, *unpaused.pairs(), ("live", "0")], safe=","),
    }


def _plan(screener: Screener, row: Row) -> list[tuple[str, str]]:
    """Return label and text of each part of the plan."""
    parts = ((screener.column(name), stored_value(row, name)) for name in _PLAN)
    return [
        (column.label, fact(column.name, part, row.key)) for column, part in parts if part not in (None, "")
    ]


def _facts(row: Row) -> list[FactLine]:
    return [
        FactLine(each.label, fact(each.name, row.facts[each.name], row.key), each.meaning)
        for each in FACTS
        if each.name in BY_NAME and row.facts.get(each.name) is not None and each.name != "volume"
    ]


def _criterion_line(outcome: Outcome) -> CriterionLine:
    number = "unknown" if outcome.value is None else with_unit(short_number(outcome.value), outcome.unit)
    margin = (
        "" if outcome.margin is None else ("+" if outcome.margin > 0 else "") + short_number(outcome.margin)
    )
    return CriterionLine(
        outcome, number, with_unit(outcome.bound, outcome.unit), with_unit(margin, outcome.unit)
    )
