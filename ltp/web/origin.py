"""Where a request comes from: a page of ours or another site, a person or a program.

Requests that change something come from our own pages: no other site may send a visitor's browser here to do it.
"""

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
    """Tell whether a person opened this page in a browser: by a bookmark, the address line, a link or a form.

    A program that names no origin, the preview of a link, a prefetch, an image or a frame has not. Browsers name it to sites on
    HTTPS and on this machine only; on others a page is asked for by its button, which every browser names the origin of.
    """
    headers = request.headers
    ahead = "prefetch" in f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')}".lower()
    if request.method != "GET" or ahead:
        return False
    site, kind = headers.get("Sec-Fetch-Site"), headers.get("Sec-Fetch-Dest", "document")
    if kind == "empty":  # htmx follows the links of our pages
        return site == "same-origin" and "HX-Request" in headers
    navigates = kind == "document" and headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return navigates and (site in _OWN or headers.get("Sec-Fetch-User") == "?1")
