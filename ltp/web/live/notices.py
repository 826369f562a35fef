"""Which firings a browser's reader has seen: a cookie with the id of the newest one, and what a page shows of the rest.

The cookie is set by the first page, by `/alerts`, and by the button that dismisses the notices.
"""

from __future__ import annotations

import time
from typing import Final

from flask import Flask, Response, request

from ltp.hub.notices.kept import Unseen
from ltp.web.services import services

COOKIE: Final = "alerts_seen"
_MAX_ID: Final = 2_147_483_647
_YEAR_S: Final = 366 * 86_400


def install(app: Flask) -> None:
    """Give every browser its mark with the first page."""
    app.after_request(_mark)


def seen() -> int | None:
    """Return the newest firing that the reader of the present request has seen, None for an unknown reader."""
    value = request.cookies.get(COOKIE, "")
    known = value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_ID))
    return int(value) if known else None


def unseen(mark: int | None = None) -> Unseen:
    """Return what a page shows of the firings that its reader has not seen.

    Args:
        mark: in place of that of the request, after it was moved.
    """
    return services().hub.notices.unseen(seen() if mark is None else mark, time.time())


def opening() -> str:
    """Return the notices and their count as the update of an open page that polls."""
    return services().hub.notices.opening(seen(), time.time())


def looked(response: Response, newest: int) -> Response:
    """Note that the reader has seen all firings up to one; a mark never moves back."""
    mark = min(max(newest, seen() or 0), _MAX_ID)
    # Not readable by scripts, and sent with no request of another site: it says what somebody has looked at.
    response.set_cookie(
        COOKIE, str(mark), max_age=_YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response


def _mark(response: Response) -> Response:
    is_page = request.method == "GET" and response.status_code == 200 and response.mimetype == "text/html"
    if is_page and seen() is None and COOKIE not in response.headers.get("Set-Cookie", ""):
        looked(response, services().hub.notices.newest)
    return response
