"""Checks of a request's host and origin.

A request must name a host of this site. One that changes something must come from a page of this site:
another site could otherwise make a visitor's browser send it.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Flask, Response, request

from ltp.core import health_paths
from ltp.core.clients.trusted_hosts import TrustedHosts, same_origin
from ltp.web.errors import Problem, respond

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})  # values of Sec-Fetch-Site
_PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")  # the last three: of older browsers
_NO_PREFIX: Final = (
    "The site cannot live below a path; give it a host name or a port of its own in the proxy."
)
_FOREIGN: Final = "Only a form of this site may request this."


def install(app: Flask, hosts: TrustedHosts) -> None:
    """Check every request of the app."""

    def refuse_unknown_host() -> Response | None:
        # A load balancer checks health by the address of the machine.
        if request.path in health_paths.PATHS or hosts.allows(
            request.headers.get("Host", ""), request.environ.get("RAW_URI", "/")
        ):
            return None
        return respond(Problem(HTTPStatus.BAD_REQUEST, _unknown_host(request.headers.get("Host", ""))))

    app.before_request(refuse_unknown_host)
    app.before_request(_refuse_prefix)
    app.before_request(_refuse_foreign)


def _unknown_host(host: str) -> str:
    named = f"the host name {host[:80]!r}" if host else "a request without a host name"
    return f"This server does not answer for {named}. TRUSTED_HOSTS lists the names that it answers for."


def _refuse_prefix() -> Response | None:
    """Answer 400 behind a proxy that removes a path prefix: the links of the pages do not have it."""
    prefixed = request.headers.get("X-Forwarded-Prefix", "").strip("/ ")
    return respond(Problem(HTTPStatus.BAD_REQUEST, _NO_PREFIX)) if prefixed else None


def _refuse_foreign() -> Response | None:
    """Answer 403 to a request that changes something and does not come from a page of this site.

    Every browser names the origin of a form: in Sec-Fetch-Site, which no script can set, or in Origin. It
    sends Sec-Fetch-Site only over HTTPS and to loopback addresses.
    """
    # An unknown page or method gets its own answer.
    if request.method in _SAFE or request.routing_exception is not None:
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    hidden = origin is not None and origin.strip().lower() in {"", "null"}
    # A program names neither. It cannot be a form of another site: the API takes JSON only, which a browser sends to
    # another site after asking there, and is not allowed.
    is_program = request.path.startswith("/api/") and site is None and origin is None
    own = (
        site in _OWN_SITES
        or is_program
        or (site is None and same_origin(origin or "", request.scheme, request.headers.get("Host", "")))
    )
    return None if own and not hidden else respond(Problem(HTTPStatus.FORBIDDEN, _FOREIGN))


def is_opened_by_person() -> bool:
    """Was this page opened in a browser by a bookmark, the address line, or a link or form of this site?

    False for a program without Sec-Fetch-Site, a link on another site, a link preview, a prefetch, an image
    and a frame. Browsers send the header over HTTPS and to loopback addresses only; elsewhere the reader
    presses the page's button.
    """
    headers = request.headers
    purpose = " ".join(headers.get(name, "") for name in _PURPOSES).lower()
    is_prefetch = "prefetch" in purpose or "preview" in purpose
    if request.method != "GET" or is_prefetch:
        return False
    site, kind = headers.get("Sec-Fetch-Site"), headers.get("Sec-Fetch-Dest", "document")
    if kind == "empty":  # a link of our pages, followed by htmx
        return site == "same-origin" and "HX-Request" in headers
    navigates = kind == "document" and headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return navigates and site in _OWN_SITES
