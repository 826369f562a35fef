"""Headers that allow htmx to put a response of this application into an open page.

A proxy, a log-in page or gunicorn may answer in place of the application, with any status. Such a response
has no `#screen` to select, so swapping it in would empty the page. Therefore every element has
`hx-swap="none"`, and only the headers set here turn a swap on. After a response without them the page keeps
its content, address, stream and typed text, and `base.html` shows `KEPT`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Flask, Response, request

_KEPT: Final = (
    "<p>The requested page was not received: the response was not from this site, or there was none."
    " This page stays as it was. Try again in a moment; if this continues, reload the page.</p>"
)
# htmx fetches these from data: addresses, because the server may be down.
KEPT: Final = f"data:text/html;charset=utf-8,{quote(_KEPT)}"
LOST: Final = f"data:text/html;charset=utf-8,{quote('<b class=lost>not live</b>')}"
_SCREEN: Final = "div#screen"


def install(app: Flask) -> None:
    """Set the headers on every response of the app."""
    app.after_request(_allow_swap)


def refusal_headers() -> dict[str, str]:
    """Return the headers of an error page for a failure of the server (5xx).

    htmx inserts only its reason above the open page, so rows, prices and typed text stay. An error page that
    repeats its request (`p#again`) is replaced whole.
    """
    if request.headers.get("HX-Request-Type") != "full" or request.headers.get("HX-Source", "") == "p#again":
        return {}
    return {"HX-Reswap": "innerHTML", "HX-Retarget": "#why", "HX-Reselect": ".detail"}


def _allow_swap(response: Response) -> Response:
    kind, headers = request.headers.get("HX-Request-Type"), response.headers
    if (
        kind is None
        or "HX-Reswap" in headers
        or response.mimetype != "text/html"
        or 300 <= response.status_code < 400
    ):
        return response
    if "HX-History-Restore-Request" in request.headers:
        # Restores the focus too. A response without this header and without a #screen leaves the open page.
        headers["HX-Reswap"] = "outerHTML"
    elif kind == "partial":
        headers["HX-Reswap"] = "innerHTML"
    elif request.headers.get("HX-Target") == _SCREEN:
        headers["HX-Reswap"] = "outerHTML"
        headers.setdefault("HX-Push-Url" if "HX-Boosted" in request.headers else "HX-Replace-Url", "true")
    elif response.status_code < 400:
        headers["HX-Reswap"] = "outerHTML"
    return response
