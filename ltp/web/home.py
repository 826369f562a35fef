"""`/`: where everything starts. Screeners with their counts and times, the main indices, the market's phases
and the feed.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, render_template, request

from ltp.web import market, params
from ltp.web.live import poll
from ltp.web.screens.catalogue import SCREENERS, named
from ltp.web.screens.counts import RunCounter
from ltp.web.screens.index import line
from ltp.web.services import services
from ltp.web.table.columns import BY_NAME

bp = Blueprint("pages", __name__)
# NIFTY, BANKNIFTY, NIFTYNXT50, FINNIFTY, MIDCPNIFTY, SENSEX, INDIA VIX: shown as far as the instrument master
# knows them.
INDICES: Final = ("IDX_I:13", "IDX_I:25", "IDX_I:38", "IDX_I:27", "IDX_I:442", "IDX_I:51", "IDX_I:21")
_SAVED: Final = 6
LIVE_COLUMNS: Final = ("ltp", "chg", "chgp", "open", "high", "low", "prev")


@bp.get("/")
def index() -> str:
    live = params.choice(params.single(request.args.items(multi=True)), "live", ("1", "0"), "1") == "1"
    held, counter = services(), RunCounter()
    keys = _indices()
    held.demand(keys)
    return render_template(
        "home/index.html",
        screeners=[line(screener, counter) for screener in SCREENERS.values()],
        saved=[line(named(screen.slug), counter) for screen in held.catalog.screens()][:_SAVED],
        indices=[
            (held.catalog.instrument(key), quote)
            for key, quote in zip(keys, held.hub.quotes(keys), strict=True)
        ],
        columns=[BY_NAME[name] for name in LIVE_COLUMNS],
        status=market.status(held.hub),
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
