"""How an open page stays current: what its stream carries, and polling while the stream is down.

The poller is markup that renews itself, so the server sets the pace. It lives inside `#beat`, which the first
message of a stream overwrites, and one about every second after that: a stream that is back ends the polling,
without a script and without the server remembering.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

from flask import Response, make_response, render_template, request

from ltp.web import params
from ltp.web.clients import client
from ltp.web.live import status_line, stream
from ltp.web.services import services

_MAX_ROUNDS: Final = 1_000_000
_SLOWER_AFTER: Final = (
    (200, 4),
    (40, 2),
)  # (rounds, times the interval): a page that polls for long has no stream to hope for


class Live(NamedTuple):
    """The addresses an open page keeps itself current with, for `_live.html`. `stream`: empty for a page that
    only polls.
    """

    stream: str
    poll: str


def live(path: str, parameters: Mapping[str, str]) -> Live:
    """Return the addresses for the page at `path` ("" for the first page) whose rows `parameters` name."""
    query = f"?{urlencode(parameters, safe=',')}" if parameters else ""
    return Live(f"{path}/stream{query}", f"{path}/poll{query}")


def stream_of(keys: Sequence[str], columns: Sequence[str]) -> Response:
    """Answer a page's stream: the cells of `columns` for `keys`."""
    hub = services().hub
    refusal = hub.refusal(keys, columns, client())
    if refusal:
        return stream.refused(refusal)
    view = hub.view(keys, columns)
    return stream.stream_response(
        hub, view, last_event_id=request.headers.get("Last-Event-ID"), client=client()
    )


def poll_of(keys: Sequence[str], columns: Sequence[str]) -> Response:
    """Answer one poll of the page at `<page path>/poll`: all its cells as they are now, and the next poller.

    Raises:
        InputError: `n`, the number of the round, is no such number.
    """
    pairs = list(request.args.items(multi=True))  # a custom screen has several of one name
    number = params.whole(
        params.single(pair for pair in pairs if pair[0] == "n"), "n", _MAX_ROUNDS, 0, least=0
    )
    following = [pair for pair in pairs if pair[0] != "n" and pair[1]] + [
        ("n", str(min(number + 1, _MAX_ROUNDS)))
    ]
    held = services()
    held.demand(keys)
    wait_ms = held.poll_interval_ms * next((times for rounds, times in _SLOWER_AFTER if number >= rounds), 1)
    body = render_template(
        "_poller.html",
        url=f"{request.path}?{urlencode(following, safe=',')}",
        # A tenth of jitter, so that pages which lost their stream at one moment do not poll at one moment.
        wait_ms=round(wait_ms * random.uniform(0.9, 1.1)),
        seconds=f"{wait_ms / 1000:.2f}".rstrip("0").rstrip("."),
    )
    return make_response(
        body + held.hub.partials(held.hub.quotes(keys), columns) + status_line.partial(held.hub)
    )
