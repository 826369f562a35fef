"""`/`, the first page: screeners with their counts, the main indices, the market's phases and the feed."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, render_template, request

from ltp.web import market, params
from ltp.web.live import poll
from ltp.web.screens.catalogue import SCREENERS, find_screener
from ltp.web.screens.counts import RunCounter
from ltp.web.screens.index import screen_line
from ltp.web.services import services
from ltp.web.table.columns import BY_NAME

bp = Blueprint("pages", __name__)
# NIFTY, BANKNIFTY, NIFTYNXT50, FINNIFTY, MIDCPNIFTY, SENSEX, INDIA VIX: those that the master has are shown.
INDICES: Final = ("IDX_I:13", "IDX_I:25", "IDX_I:38", "IDX_I:27", "IDX_I:442", "IDX_I:51", "IDX_I:21")
_MAX_SAVED: Final = 6
LIVE_COLUMNS: Final = ("ltp", "chg", "chgp", "open", "high", "low", "prev")


@bp.get("/")
def index() -> str:
    live = params.is_live(params.single(request.args.items(multi=True)))
    shared, counter = services(), RunCounter()
    keys = _indices()
    shared.demand(keys)
    return render_template(
        "home/index.html",
        screeners=[screen_line(screener, counter) for screener in SCREENERS.values()],
        saved=[screen_line(find_screener(screen.slug), counter) for screen in shared.catalog.screens()][
            :_MAX_SAVED
        ],
        indices=[
            (shared.catalog.instrument(key), quote)
            for key, quote in zip(keys, shared.hub.quotes(keys), strict=True)
        ],
        columns=[BY_NAME[name] for name in LIVE_COLUMNS],
        status=market.status(shared.hub),
        live=poll.live_addresses("", {}) if live else None,
        pause_url="/?live=0" if live else "/",
    )


@bp.get("/stream")
def stream() -> Response:
    return poll.stream_of(_indices(), LIVE_COLUMNS)


@bp.get("/poll")
def polled() -> Response:
    return poll.poll_of(_indices(), LIVE_COLUMNS)


def _indices() -> list[str]:
    return [key for key in INDICES if services().catalog.instrument(key)]
