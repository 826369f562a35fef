"""GET `/api/v1/current_prices` without Flask, while the board of this process knows what the cache does.

Stands in front of the application and hands on whatever it cannot answer: other requests, bad ones, and those
for prices the board does not vouch for. Flask's view then says the same from the cache, so nobody can tell
who answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache, partial
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Request

from ltp.core.clients.trusted_hosts import TrustedHosts
from ltp.core.ticks.quote import Quote
from ltp.errors import InputError, NotFoundError
from ltp.hub.board import CAPACITY
from ltp.web import security
from ltp.web.api import current_prices, prices_document
from ltp.web.api.prices_document import InstrumentPiece
from ltp.web.clients import client_of_environ
from ltp.web.services import Services

ASK_AGAIN_S: Final = 1.0  # demand lives much longer, and to write it costs more than the answer
_QUERIES: Final = 256  # a program asks for the same instruments over and over; 20 MB at the very most
_BEFORE_LENGTH: Final = [
    ("Cache-Control", prices_document.CACHE_CONTROL),
    ("Content-Type", prices_document.MIMETYPE),
]
_AFTER_LENGTH: Final = list(security.HEADERS.items())
_HEAD_ENDS: Final = "".join(
    ["\r\n", *(f"{name}: {value}\r\n" for name, value in _AFTER_LENGTH), "\r\n"]
).encode()


@lru_cache(maxsize=8)
def _head_starts(version: tuple[int, int], connection: str, second: int) -> bytes:
    """Return a head up to the number of its Content-Length, word for word as gunicorn would write it."""
    date = formatdate(second, usegmt=True)
    first = [
        f"HTTP/{version[0]}.{version[1]} 200 OK",
        "Server: gunicorn",
        f"Date: {date}",
        f"Connection: {connection}",
    ]
    return "\r\n".join(
        [*first, *(f"{name}: {value}" for name, value in _BEFORE_LENGTH), "Content-Length: "]
    ).encode()


class _Asked:
    """What one query asks for.

    `demanded_s`: the monotonic instant at which that was last made demand. `refused`: the client whose quota
    it was too much for then; another's request makes it demand. `stamp`: the board's when the answer was
    `known`.
    """

    __slots__ = ("demanded_s", "keys", "known", "refused", "stamp")

    def __init__(self, keys: list[str]) -> None:
        self.keys, self.demanded_s, self.stamp, self.known = keys, float("-inf"), 0, ""
        self.refused: str | None = None


class PricesFirst:
    """The application with the price API answered in front of it.

    A server may call it for every request, or ask for the `response` to a GET of `path` and call it where
    there is none.
    """

    path: Final = current_prices.PATH

    def __init__(
        self,
        app: WSGIApplication,
        services: Services,
        hosts: TrustedHosts,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._services, self._hosts, self._monotonic = app, services, hosts, monotonic
        self._pieces: dict[str, tuple[Quote, InstrumentPiece]] = {}
        self._asked = lru_cache(maxsize=_QUERIES)(self._read)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == current_prices.PATH and environ["REQUEST_METHOD"] == "GET":
            host, target = environ.get("HTTP_HOST", ""), environ.get("RAW_URI", "/")
            client = partial(client_of_environ, environ, self._services.trusted)
            body = (
                self._body(environ.get("QUERY_STRING", ""), client)
                if self._hosts.allows(host, target)
                else None
            )
            if body is not None:
                start_response(
                    "200 OK", [*_BEFORE_LENGTH, ("Content-Length", str(len(body))), *_AFTER_LENGTH]
                )
                return [body]
        return self._app(environ, start_response)

    def response(
        self,
        query: str,
        version: tuple[int, int],
        connection: str,
        host: str,
        target: str,
        client: Callable[[], str],
    ) -> bytes | None:
        """Return the whole answer to a GET of `path`, head and body in one piece; None when the application
        has to be called.

        An environ, checked headers and a second write to the socket cost as much as parsing the request and
        answering it.

        Args:
            version: of HTTP, as the request names it.
            connection: what becomes of it, "keep-alive" or "close".
            host, target: the Host header, and what the request line asks for.
            client: returns whose request it is; seldom asked.
        """
        body = self._body(query, client) if self._hosts.allows(host, target) else None
        if body is None:
            return None
        return b"%b%d%b%b" % (
            _head_starts(version, connection, int(time.time())),
            len(body),
            _HEAD_ENDS,
            body,
        )

    def _body(self, query: str, client: Callable[[], str]) -> bytes | None:
        services = self._services
        try:
            asked = self._asked(query)
        except (InputError, NotFoundError):
            return None
        stamp, now = services.hub.stamp, self._monotonic()
        due = now - asked.demanded_s >= ASK_AGAIN_S or (
            asked.refused is not None and client() != asked.refused
        )
        if due or not stamp or stamp != asked.stamp:
            vouched = services.hub.vouched(asked.keys)
            if vouched is None:
                return None
            pieces = [self._piece(quote) for quote in vouched.quotes]
            asked.known = prices_document.known(
                pieces, priced=len(pieces), covered=vouched.covered, fetched=0
            )
            asked.stamp = stamp
        if due:
            asked.demanded_s, by = now, client()
            asked.refused = None if services.demand_of_program(asked.keys, by) else by
        return prices_document.document(asked.known, services.source(), time.time())

    def _read(self, query: str) -> _Asked:
        """Refusals are raised because those are not kept: the master may learn of an instrument."""
        keys = current_prices.keys_of(Request({"QUERY_STRING": query, "REQUEST_METHOD": "GET"}).args)
        for key in keys:
            # The board keeps what is asked for, so anybody could fill it with instruments that do not exist.
            if self._services.catalog.instrument(key) is None:
                raise NotFoundError("instrument", key)
        return _Asked(keys)

    def _piece(self, quote: Quote) -> InstrumentPiece:
        held = self._pieces.get(quote.key)
        # Not by version: a quote that looks the same on a page may name a later trade.
        if held is not None and held[0] is quote:
            return held[1]
        if len(self._pieces) >= CAPACITY:
            self._pieces.clear()
        made = prices_document.piece(quote.key, quote.tick, quote.state)
        self._pieces[quote.key] = quote, made
        return made
