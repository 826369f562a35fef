"""Requests that change something come from our own pages: no other site may send a visitor's browser here to do it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flask import Response, request

from ltp.web.errors import Problem, respond

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN: Final = frozenset({"same-origin", "none"})
_SENTENCE: Final = "Only a form of this site may ask for that."


def refuse_foreign() -> Response | None:
    """Answer 403 to what changes something and does not come from a page of this site; register it before each request.

    Every browser names where a form was sent from: by Sec-Fetch-Site, which no script can set, or by Origin.
    """
    if request.method in _SAFE:
        return None
    site = request.headers.get("Sec-Fetch-Site")
    if site in _OWN or (site is None and urlsplit(request.headers.get("Origin", "")).netloc == request.host):
        return None
    return respond(Problem(HTTPStatus.FORBIDDEN, _SENTENCE))


def means_it() -> bool:
    """Tell whether somebody opened this page: not a prefetch, a HEAD, or an image of another site's page."""
    headers = request.headers
    ahead = "prefetch" in f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')}".lower()
    from_here = headers.get("Sec-Fetch-Site", "none") in _OWN
    return request.method == "GET" and not ahead and (from_here or headers.get("Sec-Fetch-Dest") == "document")
