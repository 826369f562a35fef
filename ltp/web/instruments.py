"""`/instruments/<segment>/<security_id>`: one instrument, live."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from ltp.core.instrument import Instrument, parse_key
from ltp.errors import InputError
from ltp.hub.insets import Inset
from ltp.web import coverage, market, params, urls
from ltp.web.charts import query
from ltp.web.charts.chart import chart_part
from ltp.web.charts.live_charts import live_charts
from ltp.web.clients import client
from ltp.web.live import poll
from ltp.web.quote.parts import columns, insets, parts
from ltp.web.services import services

bp = Blueprint("instruments", __name__)


@bp.get("/instruments/<segment>/<security_id>")
def instrument(segment: str, security_id: str) -> str | BaseResponse:
    shown = _find(segment, security_id)
    if security_id != str(shown.security_id):
        return redirect(urls.with_query(urls.of_instrument(shown)))
    given = params.single(request.args.items(multi=True))
    live, charted = params.is_live(given), query.parse(given)
    shared = services()
    shared.demand([shown.key])
    return render_template(
        "instruments/index.html",
        instrument=shown,
        segment_name=market.SEGMENT_NAMES.get(segment, segment),
        phase=market.phase_words(shared.hub.phase, segment),
        parts=parts(shown, live=live),
        live=poll.live_addresses(urls.of_instrument(shown), dict(query.chart_pairs(given))) if live else None,
        pause_url=_pause_url(urls.of_instrument(shown), given, live=live),
        chart=chart_part(shown, urls.of_instrument(shown), given, charted),
        covered=coverage.sentence(shown.key),
    )


@bp.get("/instruments/<segment>/<security_id>/stream")
def stream(segment: str, security_id: str) -> Response:
    shown = _find(segment, security_id)
    return poll.stream_of([shown.key], columns(shown), *_insets(shown))


@bp.get("/instruments/<segment>/<security_id>/poll")
def polled(segment: str, security_id: str) -> Response:
    shown = _find(segment, security_id)
    return poll.poll_of([shown.key], columns(shown), *_insets(shown))


def _insets(shown: Instrument) -> list[Inset]:
    """Return what a page shows beside its prices: the order book, and the chart that its address asks for."""
    pairs = params.single(pair for pair in request.args.items(multi=True) if pair[0] not in poll.PASSING)
    chart = live_charts().inset(shown, query.parse(pairs), client=client())
    return [*insets(shown), *([chart] if chart else [])]


def _pause_url(path: str, given: dict[str, str], *, live: bool) -> str:
    """Return the address of the page that stands still, or of the live one where it already does."""
    kept = [pair for pair in given.items() if pair[0] != "live"]
    return urls.address(path, [*kept, ("live", "0")] if live else kept)


def _find(segment: str, security_id: str) -> Instrument:
    """Return the instrument of an id or of a symbol.

    Raises:
        NotFoundError: the instrument master has none.
        NotReadError: the master has not been read yet.
    """
    catalog = services().catalog
    try:
        found = catalog.instrument(parse_key(f"{segment}:{security_id}"))
    except InputError:
        found = catalog.find(segment, security_id)
    if found is None:
        raise catalog.instrument_not_found(f"{segment}:{security_id}")
    return found
