"""Where a request comes from and for whom: a page of ours or another site, a person or a program.

Requests are for this site, and those that change something come from its own pages: no other site may send a
visitor's browser here to do it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Flask, Response, request

from ltp.core import health
from ltp.core.clients.trusted_hosts import TrustedHosts, same_origin
from ltp.web.errors import Problem, respond

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN: Final = frozenset({"same-origin", "none"})
_PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")  # the last three of older browsers
_BELOW: Final = "The site cannot live below a path; give it a host name or a port of its own in the proxy."
_SENTENCE: Final = "Only a form of this site may ask for that."


def install(app: Flask, hosts: TrustedHosts) -> None:
    """Check every request of the app."""

    def refuse_unknown_host() -> Response | None:
        # A load balancer asks by address.
        if request.path in health.PATHS or hosts.allows(
            request.headers.get("Host", ""), request.environ.get("RAW_URI", "/")
        ):
            return None
        return respond(Problem(HTTPStatus.BAD_REQUEST, _unknown(request.headers.get("Host", ""))))

    app.before_request(refuse_unknown_host)
    app.before_request(_refuse_prefix)
    app.before_request(_refuse_foreign)


def _unknown(host: str) -> str:
    named = f"the host name {host[:80]!r}" if host else "a request without a host name"
    return f"This server does not answer for {named}. TRUSTED_HOSTS lists the names that it answers for."


def _refuse_prefix() -> Response | None:
    """Every link of a page would lead past the prefix that a proxy took away."""
    prefixed = request.headers.get("X-Forwarded-Prefix", "").strip("/ ")
    return respond(Problem(HTTPStatus.BAD_REQUEST, _BELOW)) if prefixed else None


def _refuse_foreign() -> Response | None:
    """Answer 403 to what changes something and does not come from a page of this site.

    Every browser names where a form was sent from: by Sec-Fetch-Site, which no script can set, or by Origin.
    It sends the first only over HTTPS and to this machine.
    """
    # Where there is no such page or method, that is the answer; and the API changes nothing, its POST is a
    # longer question.
    if request.method in _SAFE or request.routing_exception is not None or request.path.startswith("/api/"):
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    hidden = origin is not None and origin.strip().lower() in {"", "null"}
    own = site in _OWN or (
        site is None and same_origin(origin or "", request.scheme, request.headers.get("Host", ""))
    )
    return None if own and not hidden else respond(Problem(HTTPStatus.FORBIDDEN, _SENTENCE))


def means_it() -> bool:
    """Tell whether a person opened this page in a browser: by a bookmark, the address line, or a link or form
    of this site.

    A program that names no origin, a link on another site, the preview of a link, a prefetch, an image or a
    frame has not. Browsers name the origin to sites on HTTPS and on this machine only; on others a page is
    asked for by its button.
    """
    headers = request.headers
    purpose = " ".join(headers.get(name, "") for name in _PURPOSES).lower()
    ahead = "prefetch" in purpose or "preview" in purpose
    if request.method != "GET" or ahead:
        return False
    site, kind = headers.get("Sec-Fetch-Site"), headers.get("Sec-Fetch-Dest", "document")
    if kind == "empty":  # htmx follows the links of our pages
        return site == "same-origin" and "HX-Request" in headers
    navigates = kind == "document" and headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return navigates and site in _OWN
