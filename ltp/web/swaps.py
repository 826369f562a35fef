"""Which answers htmx may put into an open page: those of this application and no others.

A proxy, a log-in page or gunicorn itself may answer in place of the application, with any status. Swapped in,
such an answer empties the page: it has no `#screen` to select. So every element says `hx-swap="none"`, and
the headers set here turn the swap on. An answer without them leaves the page, its address, its stream and
what was typed as they are, and `base.html` then shows `KEPT`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from flask import Flask, Response, request

_KEPT: Final = (
    "<p>The page that was asked for did not come: what answered was not this site, or nothing answered. This page stays as it"
    " was. Try again in a moment; if it goes on, load the page anew.</p>"
)
# A data: address needs no server, and none may be there to answer.
KEPT: Final = f"data:text/html;charset=utf-8,{quote(_KEPT)}"
LOST: Final = f"data:text/html;charset=utf-8,{quote('<b class=lost>not live</b>')}"
_SCREEN: Final = "div#screen"


def install(app: Flask) -> None:
    app.after_request(_allow)


def refusal() -> dict[str, str]:
    """Return the headers of an error page that is about us, not about what was asked: it only gives its
    reason above the open page, whose rows, prices and typed text the reader still needs. An error page that
    asks again has nothing to keep.
    """
    if request.headers.get("HX-Request-Type") != "full" or request.headers.get("HX-Source", "") == "p#again":
        return {}
    return {"HX-Reswap": "innerHTML", "HX-Retarget": "#why", "HX-Reselect": ".detail"}


def _allow(response: Response) -> Response:
    kind, headers = request.headers.get("HX-Request-Type"), response.headers
    if (
        kind is None
        or "HX-Reswap" in headers
        or response.mimetype != "text/html"
        or 300 <= response.status_code < 400
    ):
        return response
    if "HX-History-Restore-Request" in request.headers:
        headers["HX-Reswap"] = (
            "outerHTML"  # with the focus; without a header htmx keeps a page that brings no #screen
        )
    elif kind == "partial":
        headers["HX-Reswap"] = "innerHTML"
    elif request.headers.get("HX-Target") == _SCREEN:
        headers["HX-Reswap"] = "outerHTML"
        headers.setdefault("HX-Push-Url" if "HX-Boosted" in request.headers else "HX-Replace-Url", "true")
    elif response.status_code < 400:
        headers["HX-Reswap"] = "outerHTML"
    return response
