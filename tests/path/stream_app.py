"""An application of one stream, for tests of the web server around it; the tests send prices over HTTP."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from types import SimpleNamespace

from flask import Flask, Response, request

from ltp import metrics
from ltp.core import health_paths
from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.hub import Hub
from ltp.server import connection
from ltp.web.live.stream import stream_response

# A test that waits until slow clients are cut need not wait for the ten seconds that the product gives them.
if "DEADLINE_S" in os.environ:
    connection.WRITE_S = connection.TLSConnection.reading_s = float(os.environ["DEADLINE_S"])
    connection.SLOWEST = 1 << 20

KEYS = [f"NSE_EQ:{id_}" for id_ in range(1, 121)]
prices: queue.Queue[int] = queue.Queue()


def cell(quote: Quote, _column: str) -> str:
    return f"<b>{quote.tick.ltp if quote.tick else None}</b><i>{quote.state}</i>"


def batches() -> Iterator[Batch | None]:
    yield None
    seq = 0
    while True:
        seq, at = seq + 1, time.time_ns() // 1000
        try:
            ticks = [
                Tick(key, price, received_at=at, traded_at=at)
                for price in [prices.get(timeout=0.2)]
                for key in KEYS
            ]
        except queue.Empty:
            ticks = []
        yield Batch("e", seq, at, "live", 1, "simulator", {"NSE_EQ": "continuous"}, ticks)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 65_536
    hub = Hub(
        batches,
        lambda keys: [CachedTick(key, None, False) for key in keys],
        cell,
        min_interval_s=0.01,
        stall_timeout_s=float(os.environ.get("STREAM_STALL_TIMEOUT_S", "15")),
        max_streams=int(os.environ.get("MAX_STREAMS", "500")),
    )
    app.extensions["ltp"] = SimpleNamespace(hub=hub, start=hub.start)

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        response.headers["X-Process"] = str(os.getpid())
        return response

    @app.get("/stream")
    def stream() -> Response:
        view = hub.view(KEYS, ["ltp"])
        return stream_response(hub, view, last_event_id=request.headers.get("Last-Event-ID"))

    @app.get(health_paths.ALIVE)
    def alive() -> str:
        return "ok"

    @app.post("/length")
    def length() -> str:
        return str(len(request.get_data()))

    @app.get("/large")
    def large() -> str:
        return "x" * 300_000

    @app.get("/price/<int:ltp>")
    def price(ltp: int) -> str:
        prices.put(ltp)
        return "ok"

    @app.get("/counts")
    def counts() -> dict[str, int]:
        return metrics.snapshot() | {"streams": hub.streams, "pid": os.getpid()}

    return app


app = create_app()
