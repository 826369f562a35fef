"""Which firings a browser's reader has seen: a cookie with the id of the newest one, and what a page shows of the rest.

The cookie is set by the first page, by `/alerts`, and by the button that dismisses the notices.
"""

from __future__ import annotations

import time
from typing import Final

from flask import Flask, Response, g, request

from ltp.hub.notices.kept import Unseen
from ltp.web.services import services

COOKIE: Final = "alerts_seen"
_MAX_ID: Final = 2_147_483_647
_YEAR_S: Final = 366 * 86_400
_LOOKED: Final = "ltp_alerts_looked"


def install(app: Flask) -> None:
    """Give every browser its mark with the first page."""
    app.after_request(_mark)


def seen() -> int | None:
    """Return the newest firing that the reader of the present request has seen, None for an unknown reader."""
    if _LOOKED in g:
        return int(g.get(_LOOKED))
    value = request.cookies.get(COOKIE, "")
    known = value.isascii() and value.isdigit() and len(value) <= len(str(_MAX_ID))
    return int(value) if known else None


def unseen() -> Unseen:
    """Return what a page shows of the firings that its reader has not seen."""
    return services().hub.notices.unseen(seen(), time.time())


def opening() -> str:
    """Return the notices and their count as the update of an open page that polls."""
    return services().hub.notices.opening(seen(), time.time())


def look(newest: int) -> None:
    """Note that the reader sees all firings up to one with this response; a mark never moves back."""
    setattr(g, _LOOKED, min(max(newest, seen() or 0), _MAX_ID))


def _mark(response: Response) -> Response:
    is_page = request.method == "GET" and response.status_code == 200 and response.mimetype == "text/html"
    if is_page and seen() is None:
        look(services().hub.notices.newest)
    if _LOOKED in g:
        # Not readable by scripts, and sent with no request of another site: it says what somebody has looked at.
        response.set_cookie(
            COOKIE,
            str(g.get(_LOOKED)),
            max_age=_YEAR_S,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
    return response
