"""The product's own fan-out under invented prices: hub, sockets and stream view, without Redis and pages.

    PORT=9110 HZ=10 ROWS=7 VIEWS=1 gunicorn -c gunicorn.conf.py --pythonpath bench stream_app:app

`/stream/N` is the stream of view N, `/stream/any` of the next in turn; each of its ROWS instruments changes HZ times a second.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from types import SimpleNamespace

from flask import Flask, Response, request

from ltp.core.money import grouped_text
from ltp.core.quote import Known, Quote
from ltp.core.tick import Tick
from ltp.core.wire import Batch
from ltp.hub.hub import Hub
from ltp.web.stream import stream_response

HZ = float(os.environ.get("HZ", "10"))
ROWS = int(os.environ.get("ROWS", "7"))
VIEWS = int(os.environ.get("VIEWS", "1"))
COLUMNS = ("ltp", "chg", "chgp")


def keys(view: int) -> list[str]:
    return [f"NSE_EQ:{1000 + view * ROWS + row}" for row in range(ROWS)]


def cell(quote: Quote, column: str) -> str:
    if quote.tick is None or quote.tick.ltp is None:
        return "-"
    if column == "ltp":
        flash = "" if not quote.moved else ' class="u"' if quote.direction > 0 else ' class="d"'
        return f"<b{flash}>₹{grouped_text(quote.tick.ltp)}</b><i>{quote.state}</i>"
    change = quote.tick.ltp - 10_000_000
    return grouped_text(change) if column == "chg" else f"{change / 100_000:+.2f}%"


def batches() -> Iterator[Batch | None]:
    yield None
    due, seq = time.monotonic(), 0
    while True:
        due += 1 / HZ
        time.sleep(max(0.0, due - time.monotonic()))
        seq, at = seq + 1, time.time_ns() // 1000
        price = 10_000_000 + seq % 997 * 500
        ticks = [Tick(key, price, at // 1_000_000, at, traded_at=at) for view in range(VIEWS) for key in keys(view)]
        yield Batch("bench", seq, at, "live", 1, "simulator", {"NSE_EQ": "continuous"}, ticks)


def create_app() -> Flask:
    app = Flask(__name__)
    hub = Hub(
        batches,
        lambda wanted: [Known(key, None, False) for key in wanted],
        cell,
        min_interval_s=float(os.environ.get("STREAM_MIN_INTERVAL_MS", "50")) / 1000,
        stall_timeout_s=float(os.environ.get("STREAM_STALL_TIMEOUT_S", "15")),
        max_streams=int(os.environ.get("MAX_STREAMS", "19000")),
    )
    app.extensions["ltp"] = SimpleNamespace(hub=hub, start=hub.start)

    turn = itertools.count()

    @app.get("/stream/<name>")
    def stream(name: str) -> Response:
        number = next(turn) % VIEWS if name == "any" else int(name)
        view = hub.view(keys(number), COLUMNS)
        return stream_response(hub, view, last_event_id=request.headers.get("Last-Event-ID"))

    return app


app = create_app()
