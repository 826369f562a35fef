"""The addresses by which an open page gets updates, and the responses to its stream and its polls.

A poll's response contains the next poller, so the server sets the interval. The poller lies inside `#beat`,
whose content each stream replaces with its first message and then about once a second: a stream that is back
removes the poller, without a script and without state on the server.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

from flask import Response, make_response, render_template, request

from ltp.hub.insets import Inset
from ltp.web import params
from ltp.web.clients import client
from ltp.web.live import notices, status_line, stream
from ltp.web.services import services

_MAX_ROUNDS: Final = 1_000_000
# (rounds, factor of the interval): a page that has polled for so long will hardly get a stream any more.
_SLOWER_AFTER: Final = ((200, 4), (40, 2))


# Parameters that only polls have. `seen`: checksums of the large parts that the page has, such as the bars of a
# chart: they would be a hundred times the prices.
PASSING: Final = ("n", "seen")
_LARGE: Final = 4_096  # characters


class LiveAddresses(NamedTuple):
    """Stream and poll of an open page, for `_live.html`. `stream`: empty for a page that only polls."""

    stream: str
    poll: str


def live_addresses(path: str, parameters: Mapping[str, str]) -> LiveAddresses:
    """Return the addresses of the page at `path` ("" for the first page); `parameters` select its rows."""
    query = f"?{urlencode(parameters, safe=',')}" if parameters else ""
    return LiveAddresses(f"{path}/stream{query}", f"{path}/poll{query}")


NOTICES_LIVE: Final = live_addresses("/alerts", {})  # of a page without prices


def stream_of(keys: Sequence[str], columns: Sequence[str], *insets: Inset) -> Response:
    """Return the stream of a page: the cells of `columns` for `keys`, and the insets."""
    hub = services().hub
    refusal = hub.refusal(keys, columns, client(), *insets)
    if refusal:
        return stream.refused(refusal)
    view = hub.view(keys, columns, *insets)
    return stream.stream_response(
        hub,
        view,
        last_event_id=request.headers.get("Last-Event-ID"),
        client=client(),
        seen=notices.seen(),
    )


def poll_of(keys: Sequence[str], columns: Sequence[str], *insets: Inset) -> Response:
    """Return the response to a poll at `<page path>/poll`: the next poller, all cells and insets of the page.

    Raises:
        InputError: the parameter `n`, the number of the round, is not a whole number from 0.
    """
    pairs = list(request.args.items(multi=True))  # a custom screen has several parameters of one name
    number = params.whole(
        params.single(pair for pair in pairs if pair[0] == "n"), "n", _MAX_ROUNDS, 0, least=0
    )
    parts = [(_checksum(part), part) for inset in insets for part in inset.parts]
    following = [pair for pair in pairs if pair[0] not in PASSING and pair[1]]
    following += [("seen", checksum) for checksum, _ in parts if checksum]
    following.append(("n", str(min(number + 1, _MAX_ROUNDS))))
    shared = services()
    shared.demand(keys)
    factor = next((factor for rounds, factor in _SLOWER_AFTER if number >= rounds), 1)
    wait_ms = shared.poll_interval_ms * factor
    body = render_template(
        "_poller.html",
        url=f"{request.path}?{urlencode(following, safe=',')}",
        # A tenth of jitter, or pages that lost their streams at one moment would poll at one moment.
        wait_ms=round(wait_ms * random.uniform(0.9, 1.1)),
        seconds=f"{wait_ms / 1000:.2f}".rstrip("0").rstrip("."),
    )
    cells = shared.hub.partials(shared.hub.quotes(keys), columns)
    seen = {value for name, value in pairs if name == "seen"}
    drawn = "".join(part for checksum, part in parts if checksum not in seen)
    return make_response(body + cells + drawn + notices.opening() + status_line.render_partial(shared.hub))


def _checksum(part: str) -> str:
    """Return the checksum of a part that is large, "" for others, which each poll has."""
    return f"{zlib.crc32(part.encode()):08x}" if len(part) >= _LARGE else ""
