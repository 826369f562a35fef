"""An application of the price API and the front ahead of it, for tests of the web server around both."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

from flask import Flask, Response

from ltp import metrics
from ltp.core.clients.client_address import TrustedProxies
from ltp.core.clients.trusted_hosts import TrustedHosts
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.hub import Hub
from ltp.web import origin, security
from ltp.web.api.current_prices_fast import PricesFirst

KEYS = [f"NSE_EQ:{id_}" for id_ in range(1, 121)]
TRADED_S = 1_793_600_000  # fixed, so that the answers of two servers are the same
PAUSE_S = 0.2


def batches() -> Iterator[Batch | None]:
    """Publish the same prices several times a second: the hub vouches for none that is older than 3 s."""
    yield None
    for seq in itertools.count(1):
        ticks = [
            Tick(key, 14_021_000, TRADED_S, TRADED_S * 10**6, traded_at=TRADED_S * 10**6) for key in KEYS
        ]
        yield Batch("e", seq, time.time_ns() // 1000, "live", 1, "simulator", {"NSE_EQ": "continuous"}, ticks)
        threading.Event().wait(PAUSE_S)


class Front(PricesFirst):
    """Counts its calls as an application and its answers ahead of one."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == self.path:
            metrics.count("called")
        return super().__call__(environ, start_response)

    def response(self, *request: Any) -> bytes | None:
        answer = super().response(*request)
        metrics.count("ahead" if answer else "left")
        return answer


def create_app() -> Flask:
    app = Flask(__name__)
    security.install(app)
    origin.install(app, TrustedHosts())
    hub = Hub(
        batches,
        lambda keys: [CachedTick(key, None, False) for key in keys],
        lambda _quote, _column: "",
        min_interval_s=0.25,
        stall_timeout_s=15,
        max_streams=10,
    )
    catalog = SimpleNamespace(instrument=lambda key: key if key in KEYS else None)
    services = SimpleNamespace(
        hub=hub,
        catalog=catalog,
        demand_of_program=lambda _keys, _client: True,
        trusted=TrustedProxies.parse("none"),
        source=lambda: "simulator",
        start=hub.start,
    )
    app.extensions["ltp"] = services
    app.wsgi_app = Front(app.wsgi_app, cast(Any, services), TrustedHosts())  # type: ignore[method-assign]

    @app.route(PricesFirst.path, methods=["GET", "POST"])
    def application() -> Response:
        return Response("the application\n", 503)

    @app.get("/counts")
    def counts() -> dict[str, int]:
        return metrics.snapshot()

    return app


app = create_app()
