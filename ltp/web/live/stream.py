"""The response that becomes a stream of server-sent events.

It is checked and refused as an ordinary request. Then the hub takes over its socket; where there is no such
socket, a generator is fed by the same hub.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from typing import Any, Final

from flask import Response, request

from ltp import metrics
from ltp.core.clients.client_address import EXEMPT
from ltp.hub.hub import Hub
from ltp.hub.view import View

_RETRY_AFTER_S: Final = 5
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


def stream_response(
    hub: Hub, view: View, *, last_event_id: str | None, client: str = EXEMPT, seen: int | None = None
) -> Response:
    """Return the stream of `view`, 503 when the hub takes no more streams.

    Args:
        last_event_id: the request header of that name. Without a valid id the first event contains the whole
            view.
        client: address of the client, for its quota.
        seen: the newest firing that the reader has seen.
    """
    if hub.draining or hub.streams >= hub.max_streams:
        return refused("draining" if hub.draining else "full")
    if request.method == "HEAD":  # Flask calls the view of GET, and a stream would have no reader
        return Response(headers=_HEADERS)
    connection = request.environ.get("gunicorn.socket")
    if hub.can_detach(connection) and request.environ.get("SERVER_PROTOCOL", "").startswith("HTTP/1"):
        return _Detached(hub, view, last_event_id, client, seen)
    if connection is not None:
        connection.settimeout(hub.stall_timeout_s)  # gunicorn writes without a deadline
    events = hub.follow(view, last_event_id=last_event_id, client=client, seen=seen)
    return Response(events, headers={**_HEADERS, "Connection": "close"})


class _Detached(Response):
    """Writes its own head when the server calls it.

    Hooks of the application may change the headers until then.
    """

    automatically_set_content_length = False

    def __init__(
        self, hub: Hub, view: View, last_event_id: str | None, client: str, seen: int | None
    ) -> None:
        super().__init__(headers=_HEADERS)
        self._hub, self._view, self._last_event_id = hub, view, last_event_id
        self._client, self._seen = client, seen

    def __call__(self, environ: Any, _start_response: Any) -> Iterable[bytes]:
        headers = [
            (name, value) for name, value in self.get_wsgi_headers(environ) if name.lower() != "connection"
        ]
        headers += [("Date", formatdate(usegmt=True)), ("Connection", "close")]
        head = (
            f"HTTP/1.1 {self.status}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in headers)
            + "\r\n"
        )
        self._hub.attach(
            environ["gunicorn.socket"],
            head.encode("latin-1"),
            self._view,
            last_event_id=self._last_event_id,
            client=self._client,
            seen=self._seen,
        )
        # gunicorn stops serving the connection on it, without a response and without an error.
        raise StopIteration


def refused(reason: str) -> Response:
    """Return the refusal of a stream and count it under `reason`, one word; the page polls instead."""
    metrics.count(f"streams_refused.{reason}")
    # Plain text and no empty event stream: a browser takes that for a success and connects again at once.
    headers = {"Retry-After": str(_RETRY_AFTER_S), "HX-Reswap": "none", "Cache-Control": "no-store"}
    return Response(
        "There are too many streams; prices are refreshed by polling.\n", 503, headers, mimetype="text/plain"
    )
