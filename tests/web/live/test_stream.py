"""The response of a stream: refusals, HEAD, and the generator for sockets that the hub cannot take over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request

from ltp import metrics
from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.hub import Hub
from ltp.web.live.stream import stream_response

KEY = "NSE_EQ:1"


def _cell(quote: Quote, column: str) -> str:
    return f"<b>{quote.tick.ltp if quote.tick else None}</b><i>{quote.state}</i>"


def _batches() -> Iterator[Batch | None]:
    return iter(())


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub(
        _batches,
        lambda keys: [CachedTick(key, Tick(key, 100), True) for key in keys],
        _cell,
        min_interval_s=0.0,
        stall_timeout_s=15.0,
        max_streams=2,
    )
    yield hub
    hub.stop()


@pytest.fixture
def app(hub: Hub) -> Flask:
    app = Flask(__name__)

    @app.get("/stream")
    def stream() -> Response:
        view = hub.view([KEY], ["ltp"])
        return stream_response(hub, view, last_event_id=request.headers.get("Last-Event-ID"))

    return app


def _open(app: Flask, **more: Any) -> tuple[Any, Iterator[bytes]]:
    response = app.test_client().get("/stream", buffered=False, **more)
    return response, iter(response.response)


def test_the_first_event_holds_the_view(app: Flask) -> None:
    response, events = _open(app)
    assert response.status_code == 200
    assert next(events).decode() == (
        'retry: 1000\ndata: <hx-partial id="ltp-NSE_EQ-1"><b>100</b><i>stale</i></hx-partial>'
        '<hx-partial id="beat"><i>not live</i></hx-partial>\n\n'
    )
    response.close()


def test_the_headers_forbid_caching_and_buffering(app: Flask) -> None:
    response, _events = _open(app)
    expected = {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store, no-transform",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
    }
    assert {name: response.headers.get(name) for name in expected} == expected
    response.close()


def test_changes_follow_as_events(app: Flask, hub: Hub) -> None:
    response, events = _open(app)
    next(events)
    hub.start()
    hub.apply(
        Batch("e", 1, 77, "live", 1, "simulator", {"NSE_EQ": "continuous"}, [Tick(KEY, 105, received_at=5)])
    )
    assert next(events).startswith(b'id: 77\ndata: <hx-partial id="ltp-NSE_EQ-1"><b>105</b>')
    response.close()


def test_a_head_request_opens_no_stream(app: Flask, hub: Hub) -> None:
    response = app.test_client().head("/stream")
    assert (response.status_code, response.headers["Content-Type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )
    assert hub.streams == 0


def test_a_stream_above_the_limit_is_refused(app: Flask, hub: Hub, wait_for: Callable[..., Any]) -> None:
    opened = [_open(app) for _ in range(2)]
    for _, events in opened:
        next(events)
    before = metrics.value("streams_refused.full")
    refused = app.test_client().get("/stream")
    assert (refused.status_code, refused.mimetype) == (503, "text/plain")
    assert (refused.headers["HX-Reswap"], refused.headers["Cache-Control"]) == ("none", "no-store")
    assert int(refused.headers["Retry-After"]) > 0
    assert metrics.value("streams_refused.full") == before + 1
    for response, _ in opened:
        response.close()
    assert hub.streams == 0
    response, events = _open(app)
    assert next(events)
    response.close()


def test_a_stream_is_refused_while_the_hub_drains(app: Flask, hub: Hub) -> None:
    hub.drain(1.0)
    assert app.test_client().get("/stream").status_code == 503


def test_a_socket_that_stays_with_the_server_gets_a_deadline_on_its_writes(app: Flask) -> None:
    class Socket:
        timeout = 0.0

        def settimeout(self, seconds: float) -> None:
            self.timeout = seconds

    connection = Socket()
    response, _events = _open(app, environ_overrides={"gunicorn.socket": connection})
    assert (response.status_code, connection.timeout) == (200, 15.0)
    response.close()
