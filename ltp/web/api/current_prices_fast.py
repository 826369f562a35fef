"""WSGI middleware that answers GETs of `/api/v1/current_prices` from the board of this process.

It answers only where the board vouches for all prices of the request. Every other request goes on to the
application: other paths and methods, bad queries, and prices that have to be read from the cache.
`current_prices` answers those with the same bytes, so a client cannot see which of the two answered.
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
from ltp.web.api.prices_document import JsonMembers
from ltp.web.clients import client_of_environ
from ltp.web.services import Services

RENEW_DEMAND_S: Final = 1.0  # demand lives much longer, and writing it costs more than the answer
_QUERIES: Final = 256  # parsed queries kept, 20 MB at most: programs repeat the same query
_BEFORE_LENGTH: Final = [
    ("Cache-Control", prices_document.CACHE_CONTROL),
    ("Content-Type", prices_document.MIMETYPE),
]
_AFTER_LENGTH: Final = list(security.HEADERS.items())
_HEAD_ENDS: Final = "".join(
    ["\r\n", *(f"{name}: {value}\r\n" for name, value in _AFTER_LENGTH), "\r\n"]
).encode()


@lru_cache(maxsize=8)
def _head_starts(server: str, version: tuple[int, int], connection: str, second: int) -> bytes:
    """Return a response's head up to the value of Content-Length, as gunicorn would write it."""
    lines = [
        f"HTTP/{version[0]}.{version[1]} 200 OK",
        f"Server: {server}",
        f"Date: {formatdate(second, usegmt=True)}",
        f"Connection: {connection}",
        *(f"{name}: {value}" for name, value in _BEFORE_LENGTH),
    ]
    return "\r\n".join([*lines, "Content-Length: "]).encode()


class _Query:
    """One query string: its keys, and the part of its answer that stays until the board changes.

    `demanded_s`: monotonic instant of the last demand for the keys. `refused_client`: the client whose quota
    did not cover that demand; the next request of another client demands the keys again. `stamp`: the board's
    when `stable` was made.
    """

    __slots__ = ("demanded_s", "keys", "refused_client", "stable", "stamp")

    def __init__(self, keys: list[str]) -> None:
        self.keys, self.demanded_s, self.stamp, self.stable = keys, float("-inf"), 0, ""
        self.refused_client: str | None = None


class PricesFirst:
    """The application behind the fast path of the price API.

    Any WSGI server calls it as an application. The worker class of this project calls `response` first, for
    each GET of `path`, and the application only when that returns None.
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
        self._members: dict[str, tuple[Quote, JsonMembers]] = {}
        self._query = lru_cache(maxsize=_QUERIES)(self._parse)

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
        server: str,
    ) -> bytes | None:
        """Return the whole response to a GET of `path`, None when the application has to answer.

        The WSGI way to the same bytes costs as much again as parsing the request and making the body: an
        environ, checked headers and a second write to the socket.

        Args:
            version: of HTTP, from the request line.
            connection: value of the header, "keep-alive" or "close".
            host: the Host header.
            target: the request target, as the request line has it.
            client: returns the client's address; called seldom.
            server: value of the header, as the server writes it into its own responses.
        """
        body = self._body(query, client) if self._hosts.allows(host, target) else None
        if body is None:
            return None
        return b"%b%d%b%b" % (
            _head_starts(server, version, connection, int(time.time())),
            len(body),
            _HEAD_ENDS,
            body,
        )

    def _body(self, query_string: str, client: Callable[[], str]) -> bytes | None:
        services = self._services
        try:
            query = self._query(query_string)
        except (InputError, NotFoundError):
            return None
        stamp, now = services.hub.stamp, self._monotonic()
        due = now - query.demanded_s >= RENEW_DEMAND_S or (
            query.refused_client is not None and client() != query.refused_client
        )
        if due or not stamp or stamp != query.stamp:
            vouched = services.hub.vouched(query.keys)
            if vouched is None:
                return None
            members = [self._members_of(quote) for quote in vouched.quotes]
            query.stable = prices_document.stable_part(
                members, priced=len(members), covered=vouched.covered, fetched=0
            )
            query.stamp = stamp
        if due:
            query.demanded_s, asking = now, client()
            within_quota = services.demand_of_program(query.keys, asking)
            query.refused_client = None if within_quota else asking
        return prices_document.document(query.stable, services.source(), time.time())

    def _parse(self, query_string: str) -> _Query:
        """Parse and check a query string.

        Refusals are exceptions because `lru_cache` does not keep those: the next instrument master may
        contain the key.
        """
        keys = current_prices.keys_of(Request({"QUERY_STRING": query_string, "REQUEST_METHOD": "GET"}).args)
        for key in keys:
            # The board keeps every key that is requested, so invented keys would fill it.
            if self._services.catalog.instrument(key) is None:
                raise NotFoundError("instrument", key)
        return _Query(keys)

    def _members_of(self, quote: Quote) -> JsonMembers:
        cached = self._members.get(quote.key)
        # Compared by identity and not by version: a later trade at the same price is no new version, but a
        # new `as_of`.
        if cached is not None and cached[0] is quote:
            return cached[1]
        if len(self._members) >= CAPACITY:
            self._members.clear()
        members = prices_document.json_members(quote.key, quote.tick, quote.state)
        self._members[quote.key] = quote, members
        return members
